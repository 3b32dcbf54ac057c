"""Makes random documents, odder than files are, and what docling-core writes of them.

    PYTHON odd.py FOLDER COUNT [SEED]

The texts of those are compared by the tests of the package with DOCLING_DOCUMENTS=FOLDER; those of
this folder are `odd.py . 10 7`.
"""
import json
import random
import logging
import sys
import warnings
from pathlib import Path

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)
import golden  # noqa: E402
from docling_core.types.doc import (  # noqa: E402
    BoundingBox, CodeLanguageLabel, ContentLayer, DocItemLabel, DoclingDocument, Formatting, GroupLabel, ImageRef,
    ProvenanceItem, RichTableCell, Size, TableCell, TableData)
from docling_core.types.doc.document import ListGroup, ListItem  # noqa: E402

WORDS = ["a", "snake_case", "x<y", "R&D", "![a_b](c_d_e)", "\\_x", "line\nbreak", "par\n\nagraph", "`tick`", "é", "日本語",
         "|", "1,234", "-5.5", "1e5", "True", "  pad  ", "_", "__x__", "*", "\t", "\u00a0", "&amp;", "nan", "1_000",
         "\n", "\n\n\n", "١٢", "\x1b[31mred\x1b[0m", "+7", ".5", "5.", "inf", "0x10", "--", "\u2028"]


class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.doc = DoclingDocument(name=f"odd {seed}")
        self.pages = self.r.choice([0, 1, 4])
        for n in range(1, self.pages + 1):
            self.doc.add_page(page_no=n, size=Size(width=100, height=100))
        self.page = 1
        self.left = self.r.randint(3, 60)

    def text(self, most=3):
        return " ".join(self.r.choice(WORDS) for _ in range(self.r.randint(0, most)))

    def prov(self):
        if not self.pages or self.r.random() < .25:
            return None
        if self.r.random() < .2 and self.page < self.pages:
            self.page += 1
        page = self.page if self.r.random() < .9 else self.r.randint(1, self.pages)
        return ProvenanceItem(page_no=page, charspan=(0, 1), bbox=BoundingBox(l=1, t=1, r=2, b=2))

    def layer(self):
        return self.r.choice([ContentLayer.BODY] * 9 + [ContentLayer.FURNITURE, ContentLayer.NOTES])

    def formatting(self):
        if self.r.random() < .7:
            return None
        return Formatting(bold=self.r.random() < .5, italic=self.r.random() < .5, strikethrough=self.r.random() < .5,
                          underline=self.r.random() < .5)

    def link(self):
        return self.r.choice([None] * 6 + ["https://example.com/a_b?x=1&amp;y=(2)", "javascript:x", "rel/a b.html",
                                           "mailto:a@b.c"])

    def caption(self, parent):
        if self.r.random() < .5:
            return None
        c = self.doc.add_text(DocItemLabel.CAPTION, self.text(), parent=parent, prov=self.prov(), content_layer=self.layer())
        if self.r.random() < .3:
            self.fill(c, 3)
        return c

    def cell(self, r, c, rows, cols, text, **more):
        rs = 1 if self.r.random() < .8 else self.r.randint(1, rows - r)
        cs = 1 if self.r.random() < .8 else self.r.randint(1, cols - c)
        return dict(row_span=rs, col_span=cs, start_row_offset_idx=r, end_row_offset_idx=r + rs,
                    start_col_offset_idx=c, end_col_offset_idx=c + cs, text=text,
                    column_header=(r < 2 and self.r.random() < .6) or self.r.random() < .05, **more)

    def table(self, parent, depth):
        rows, cols = self.r.randint(0, 5), self.r.randint(0, 4)
        table = self.doc.add_table(TableData(num_rows=rows, num_cols=cols), parent=parent, caption=self.caption(parent),
                                   prov=self.prov(), content_layer=self.layer())
        if self.r.random() < .2:
            f = self.doc.add_text(DocItemLabel.FOOTNOTE, self.text(), parent=parent)
            table.footnotes.append(f.get_ref())
        for r in range(rows):
            for c in range(cols):
                if self.r.random() < .15:
                    continue
                if depth < 4 and self.r.random() < .1:
                    group = self.doc.add_group(parent=table, name="rich", label=self.r.choice(
                        [GroupLabel.UNSPECIFIED, GroupLabel.INLINE]))
                    self.fill(group, depth + 2)
                    self.doc.add_table_cell(table, RichTableCell(
                        **self.cell(r, c, rows, cols, self.text()), ref=group.get_ref()))
                else:
                    self.doc.add_table_cell(table, TableCell(**self.cell(r, c, rows, cols, self.text(2))))

    def fill(self, parent, depth):
        for _ in range(self.r.randint(0, 4)):
            if self.left <= 0:
                return
            self.left -= 1
            self.one(parent, depth)

    def one(self, parent, depth):
        doc, r = self.doc, self.r
        kind = r.choice(["text"] * 4 + ["heading", "title", "list", "list", "inline", "group", "code", "formula", "table",
                         "picture", "checkbox", "item", "runs", "runs", "orphan", "field"])
        common = dict(parent=parent, prov=self.prov())
        down = depth < 6 and r.random() < .25
        item = None
        if isinstance(parent, ListGroup) and r.random() < .8:
            kind = "item"
        if kind == "text":
            item = doc.add_text(r.choice([DocItemLabel.TEXT, DocItemLabel.PARAGRAPH, DocItemLabel.PAGE_FOOTER,
                                          DocItemLabel.REFERENCE, DocItemLabel.HANDWRITTEN_TEXT, DocItemLabel.FIELD_KEY]),
                                self.text(4), formatting=self.formatting(), hyperlink=self.link(),
                                content_layer=self.layer(), **common)
        elif kind == "heading":
            item = doc.add_heading(self.text(), level=r.randint(1, 8), formatting=self.formatting(), **common)
        elif kind == "title":
            item = doc.add_title(self.text(), **common)
        elif kind == "list":
            group = doc.add_list_group(parent=parent, content_layer=self.layer())
            if depth < 6:
                self.fill(group, depth + 1)
        elif kind == "item":
            item = doc.add_list_item(self.text(), enumerated=r.random() < .5,
                                     marker=r.choice(["", "-", "1.", "a)", "•", "*", "12.", "第1"]), parent=parent if
                                     isinstance(parent, ListGroup) else doc.add_list_group(parent=parent),
                                     prov=self.prov(), formatting=self.formatting(), hyperlink=self.link())
        elif kind == "orphan":  # a list item outside of a list, as older versions of docling made them
            item = ListItem(self_ref=f"#/texts/{len(doc.texts)}", text=self.text(), orig="", marker="-", enumerated=False,
                            parent=(parent or doc.body).get_ref(), prov=[p] if (p := self.prov()) else [])
            doc.texts.append(item)
            (parent or doc.body).children.append(item.get_ref())
        elif kind == "inline":
            group = doc.add_inline_group(parent=parent)
            if depth < 6:
                self.fill(group, depth + 1)
        elif kind == "runs":
            make = r.choice([lambda **k: doc.add_text(DocItemLabel.TEXT, "", **k), lambda **k: doc.add_heading("", **k),
                             lambda **k: doc.add_list_item("", **k) if isinstance(parent, ListGroup) else
                             doc.add_text(DocItemLabel.TEXT, "", **k)])
            holder = make(**common)
            group = doc.add_inline_group(parent=holder)
            if depth < 6:
                self.fill(group, depth + 1)
        elif kind == "group":
            group = doc.add_group(label=r.choice([GroupLabel.SECTION, GroupLabel.CHAPTER, GroupLabel.SHEET]), name="g",
                                  parent=parent, content_layer=self.layer())
            if depth < 6:
                self.fill(group, depth + 1)
        elif kind == "code":
            item = doc.add_code(self.text(), code_language=CodeLanguageLabel.C, caption=self.caption(parent),
                                hyperlink=self.link(), **common)
        elif kind == "formula":
            item = doc.add_formula(self.text(), orig=r.choice(["", "x"]), **common)
        elif kind == "checkbox":
            item = doc.add_text(r.choice([DocItemLabel.CHECKBOX_SELECTED, DocItemLabel.CHECKBOX_UNSELECTED]), self.text(),
                                **common)
        elif kind == "table":
            self.table(parent, depth)
        elif kind == "picture":
            image = r.choice([None, None, "data:image/png;base64,AAAA", "https://e.com/a b.png?q=(1)#f", "//srv/x y.png",
                              "C:/x/(y).png"])
            item = doc.add_picture(caption=self.caption(parent), image=image and ImageRef(
                mimetype="image/png", dpi=1, size=Size(width=1, height=1), uri=image), **common)
            down = depth < 6 and r.random() < .6
        elif kind == "field":
            region = doc.add_field_region(**common)
            field = doc.add_field_item(parent=region)
            doc.add_field_key(self.text(), parent=field)
            doc.add_field_value(self.text(), parent=field)
        if item is not None and down:
            self.fill(item, depth + 1)


def main():
    folder, count, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0
    folder.mkdir(parents=True, exist_ok=True)
    golden.FOLDER = folder
    made = 0
    for n in range(seed, seed + count):
        m = Maker(n)
        while m.left > 0:
            m.left -= 1
            m.one(None, 1)
        text = json.dumps(m.doc.export_to_dict(exclude_none=n % 2 == 0) if n % 2 == 0 else m.doc.model_dump(
            mode="json", by_alias=True), ensure_ascii=n % 3 == 0)
        try:
            golden.write(f"odd_{n}", text)
            made += 1
        except Exception as e:
            print("refused by docling-core:", n, str(e)[:200].replace("\n", " "))
            (folder / f"odd_{n}.json").unlink(missing_ok=True)
    print(made, "documents")


main()
