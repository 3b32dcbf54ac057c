"""Makes the documents of this folder, and what docling-core writes of them.

    PYTHONPATH=../../../internal/local/engines PYTHON golden.py [FOLDER]

PYTHON is that of an environment with docling, as `babyapi-local` makes it. For each document it
writes NAME.json, the DoclingDocument, and NAME.want.json, the texts that docling-core exports:
Markdown and text by default, and with other parameters. captures are read, not made.
"""
import csv
import glob
import io
import json
import os
import sys
import tempfile
import types
import warnings
from pathlib import Path

warnings.filterwarnings("ignore")

FOLDER = Path(sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__)))


def stand_ins():
    """Replaces what needs torch or model weights, as serve_light.py does."""
    module = types.ModuleType("docling.pipeline.asr_transformers")
    module.TransformersAsrDecoder = type("TransformersAsrDecoder", (), {})
    sys.modules[module.__name__] = module
    import docling.utils.accelerator_utils as accelerator
    accelerator.decide_device = lambda *args, **kwargs: "cpu"
    import docling.models.plugins.defaults as defaults
    from docling.datamodel.pipeline_options import (
        LayoutObjectDetectionOptions, LayoutOptions, TableStructureOptions, TableStructureV2Options)
    import docling_modelfree as modelfree

    def under(base, options):
        return type(base.__name__ + options.__name__, (base,),
                    {"get_options_type": classmethod(lambda cls: options)})

    defaults.layout_engines = lambda: {"layout_engines": [
        under(modelfree.Layout, t) for t in (LayoutOptions, LayoutObjectDetectionOptions)]}
    defaults.table_structure_engines = lambda: {"table_structure_engines": [
        under(modelfree.Tables, t) for t in (TableStructureOptions, TableStructureV2Options)]}


def pdf():
    """Two pages of text, by hand."""
    pages = [
        [(24, 720, "Annual Report"), (12, 690, "First paragraph of the report, with R&D and user_name."),
         (12, 676, "It goes on in a second line."), (18, 640, "Results"), (12, 615, "Sales grew by 5 < 6 percent.")],
        [(18, 720, "Outlook"), (12, 690, "The second page says what comes next.")],
    ]
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", None,
               "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for lines in pages:
        stream = "".join(f"BT /F1 {size} Tf 72 {y} Td ({text}) Tj ET\n" for size, y, text in lines)
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}endstream")
        objects.append("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] "
                       f"/Contents {len(objects)} 0 R /Resources << /Font << /F1 3 0 R >> >> >>")
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Count {len(kids)} /Kids [{' '.join(kids)}] >>"
    out = b"%PDF-1.4\n"
    offsets = []
    for i, o in enumerate(objects):
        offsets.append(len(out))
        out += f"{i + 1} 0 obj\n{o}\nendobj\n".encode()
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{o:010} 00000 n \n".encode() for o in offsets)
    return out + f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()


def png():
    from PIL import Image
    out = io.BytesIO()
    Image.new("RGB", (24, 16), (200, 30, 30)).save(out, "PNG")
    return out.getvalue()


def docx(path):
    import docx as d
    doc = d.Document()
    doc.add_heading("The Title", 0)
    doc.add_heading("Chapter one", 1)
    p = doc.add_paragraph("Some ")
    p.add_run("bold").bold = True
    p.add_run(" and ")
    p.add_run("italic").italic = True
    p.add_run(" text with snake_case & <tags>.")
    doc.add_heading("Section", 2)
    for text in ("first", "second"):
        doc.add_paragraph(text, style="List Bullet")
    doc.add_paragraph("nested", style="List Bullet 2")
    for text in ("one", "two"):
        doc.add_paragraph(text, style="List Number")
    table = doc.add_table(rows=3, cols=3)
    for r, row in enumerate([["Name", "Sales", "Share"], ["North", "1,200", "40.5"], ["South", "1,800", "59.5"]]):
        for c, text in enumerate(row):
            table.cell(r, c).text = text
    table.cell(1, 0).merge(table.cell(2, 0))
    doc.add_picture(io.BytesIO(png()))
    doc.sections[0].header.paragraphs[0].text = "Running header"
    doc.sections[0].footer.paragraphs[0].text = "Running footer"
    run = doc.paragraphs[2].runs[0]
    if hasattr(doc, "add_comment"):
        doc.add_comment(run, text="Is this true?", author="Ada")
    doc.save(path)


def pptx(path):
    import pptx as p
    from pptx.util import Inches
    deck = p.Presentation()
    for n in (1, 2, 3):
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = f"Slide {n}"
        frame = slide.placeholders[1].text_frame
        frame.text = f"Point A of {n}"
        frame.add_paragraph().text = "Point B"
        deeper = frame.add_paragraph()
        deeper.text, deeper.level = "Deeper", 1
        if n == 2:
            table = slide.shapes.add_table(2, 2, Inches(1), Inches(4), Inches(4), Inches(1)).table
            for i, text in enumerate(["Key", "Value", "a|b", "12"]):
                table.cell(i // 2, i % 2).text = text
            slide.shapes.add_picture(io.BytesIO(png()), Inches(6), Inches(4))
        if n != 3:
            slide.notes_slide.notes_text_frame.text = f"Say this on slide {n}."
    deck.slides.add_slide(deck.slide_layouts[6])  # empty
    deck.save(path)


def xlsx(path):
    import openpyxl
    from openpyxl.comments import Comment
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Sales"
    for row in [["Region", "2023", "2024"], ["North", 10, 12.5], ["South", 20, None]]:
        sheet.append(row)
    sheet["A2"].comment = Comment("Check this", "Ada")
    sheet["E8"] = "A second table"
    sheet["E9"] = 5
    book.create_sheet("Empty")
    other = book.create_sheet("Other data")
    other.append(["Merged", None, "x_y"])
    other.append(["a", "b", "c"])
    other.merge_cells("A1:B1")
    book.create_sheet("Last empty")
    hidden = book.create_sheet("Hidden")
    hidden.append(["secret"])
    hidden.sheet_state = "hidden"
    book.save(path)


HTML = """<html><head><title>A page</title></head><body>
<header>Site header</header>
<h1>Main <em>heading</em></h1>
<p>Text with <b>bold</b>, <i>italic</i>, <s>gone</s>, <code>inline_code</code> and
<a href="https://example.com/a_b?x=1&amp;y=(2)">a link</a>.<br>A new line.</p>
<h2>Lists</h2>
<ul><li>one<ul><li>one <b>point</b> one</li><li>deep<ol><li>deepest</li></ol></li></ul></li><li>two</li></ul>
<ol start="3"><li>three</li><li><p>four</p></li></ol>
<h2>Table &amp; figure</h2>
<table><caption>Numbers of the year</caption>
<tr><th rowspan="2">Name</th><th colspan="2">Values</th></tr><tr><th>first</th><th>second</th></tr>
<tr><td>a_b</td><td>1</td><td>2.50</td></tr><tr><td>c|d</td><td>1e3</td><td></td></tr>
<tr><td><b>rich</b> <a href="x.html">cell</a></td><td><ul><li>p</li><li>q</li></ul></td>
<td><table><tr><td>in</td><td>side</td></tr></table></td></tr></table>
<figure><img src="x.png" alt="A red box"><figcaption>Figure 1: a box</figcaption></figure>
<pre><code>def f(x_y):
    return "```"</code></pre>
<dl><dt>term</dt><dd>definition</dd></dl>
<form><input type="checkbox" checked> yes <input type="checkbox"> no</form>
<details><summary>More</summary><p>Hidden &lt;text&gt;</p></details>
<footer>Site footer</footer></body></html>"""

MARKDOWN = """# Title

Some *text* with `code` and a [link](https://example.com/x).

## List

1. first
2. second
   - inner
   - [x] done
   - [ ] open

| a | b |
|---|--:|
| 1 | 2 |
| **x** | y_z |

```python
print("hi")
```

![picture](p.png)

$$x^2$$
"""

LATEX = r"""\documentclass{article}\title{A Paper}\begin{document}\maketitle
\section{Introduction} Text with \textbf{bold} and \emph{emphasis}, and $x^2$.
\subsection{Details}
\begin{itemize}\item one \item two\end{itemize}
\begin{equation} E = mc^2 \end{equation}
\begin{table}\begin{tabular}{ll} a & b \\ 1 & 2 \end{tabular}\caption{A table}\end{table}
\end{document}"""

ASCIIDOC = """= The Title

Some text.

== Section

* one
* two
** nested

. first
. second

|===
| a | b
| 1 | 2
|===

.A caption
image::x.png[]
"""

EML = b"""From: Ada <ada@example.com>
To: Bob <bob@example.com>
Subject: The report
Date: Mon, 1 Jan 2024 10:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="x"

--x
Content-Type: text/plain; charset=utf-8

Dear Bob,

here is the report.

--x
Content-Type: text/csv; name="data.csv"
Content-Disposition: attachment; filename="data.csv"

a,b
1,2
--x--
"""

VTT = "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ada>Hello there\n\n00:02.500 --> 00:04.000\n<v Bob>Hello _you_\n"


def inputs(folder):
    """Writes one file of each format."""
    (folder / "report.pdf").write_bytes(pdf())
    docx(folder / "letter.docx")
    pptx(folder / "deck.pptx")
    xlsx(folder / "book.xlsx")
    (folder / "page.html").write_text(HTML)
    (folder / "notes.md").write_text(MARKDOWN)
    (folder / "paper.tex").write_text(LATEX)
    (folder / "guide.adoc").write_text(ASCIIDOC)
    (folder / "mail.eml").write_bytes(EML)
    (folder / "talk.vtt").write_text(VTT)
    with open(folder / "data.csv", "w", newline="") as f:
        csv.writer(f).writerows([["id", "name", "price"], [1, "a,b", "1_000"], [2, "c\nd", "-2.5e3"], [3, "é|x", "+7"]])
    return sorted(folder.iterdir())


def convert(folder):
    stand_ins()
    from docling.datamodel.base_models import InputFormat
    from docling.datamodel.pipeline_options import PdfPipelineOptions
    from docling.document_converter import DocumentConverter, PdfFormatOption
    options = PdfPipelineOptions(do_ocr=False, do_table_structure=False)
    converter = DocumentConverter(format_options={InputFormat.PDF: PdfFormatOption(pipeline_options=options)})
    for path in inputs(folder):
        try:
            yield path.name.replace(".", "_"), converter.convert(path).document
        except Exception as e:  # a format that this docling does not have
            print("not converted:", path.name, str(e)[:200])


def by_hand():
    """A document with what conversions do not make here."""
    from docling_core.types.doc import (
        BoundingBox, CodeLanguageLabel, ContentLayer, CoordOrigin, DescriptionAnnotation, DocItemLabel,
        DoclingDocument, Formatting, GraphCell, GraphCellLabel, GraphData, GraphLink, GraphLinkLabel, GroupLabel,
        ImageRef, PictureClassificationClass, PictureClassificationData, PictureTabularChartData, ProvenanceItem,
        RichTableCell, Script, Size, TableCell, TableData)
    doc = DoclingDocument(name="by hand")
    for n in (1, 2, 3):
        doc.add_page(page_no=n, size=Size(width=600, height=800))

    def prov(page, top=100):
        return ProvenanceItem(page_no=page, charspan=(0, 5), bbox=BoundingBox(
            l=10, t=800 - top, r=300.5, b=780 - top, coord_origin=CoordOrigin.BOTTOMLEFT))

    def cell(row, col, text, **more):
        more = {"row_span": 1, "col_span": 1} | more
        return dict(start_row_offset_idx=row, end_row_offset_idx=row + more["row_span"],
                    start_col_offset_idx=col, end_col_offset_idx=col + more["col_span"], text=text, **more)

    doc.add_title("A *title*\nof two lines", prov=prov(1))
    doc.add_text(DocItemLabel.PAGE_HEADER, "Header", prov=prov(1), content_layer=ContentLayer.FURNITURE)
    doc.add_heading("A very_deep heading", level=7, prov=prov(1))
    doc.add_text(DocItemLabel.TEXT, "plain_text with ![i_m](a_b.png) and \\_ done\nnext line\n\nnext paragraph",
                 prov=prov(1))
    doc.add_text(DocItemLabel.TEXT, "formatted", formatting=Formatting(bold=True, italic=True, strikethrough=True),
                 hyperlink="https://example.com/(x)?a=1&amp;b=2", prov=prov(1))
    doc.add_text(DocItemLabel.TEXT, "script", hyperlink="javascript:alert(1)", formatting=Formatting(script=Script.SUB))
    doc.add_text(DocItemLabel.CHECKBOX_SELECTED, "ticked", prov=prov(1))
    doc.add_text(DocItemLabel.CHECKBOX_UNSELECTED, "not ticked", prov=prov(1))
    caption = doc.add_text(DocItemLabel.CAPTION, "Listing 1", prov=prov(1))
    doc.add_code("x = `1`\n```y```", code_language=CodeLanguageLabel.PYTHON, caption=caption, prov=prov(1))
    doc.add_formula("a_b^2", prov=prov(1))
    doc.add_formula("", orig="???", prov=prov(1))
    outer = doc.add_list_group()
    for i, (page, marker) in enumerate([(1, "1."), (1, "a)"), (2, ""), (2, "•"), (3, "*")]):
        item = doc.add_list_item(f"item {i}\nmore_text", enumerated=i == 0, marker=marker, parent=outer, prov=prov(page))
        if i == 2:
            inner = doc.add_list_group(parent=item)
            for marker in ("", "", "第1"):
                doc.add_list_item("inner", enumerated=True, marker=marker, parent=inner, prov=prov(3))
    item = doc.add_list_item("", parent=outer, marker="-")
    line = doc.add_inline_group(parent=item)
    doc.add_text(DocItemLabel.TEXT, "in", parent=line, prov=prov(3))
    doc.add_code("li_ne", parent=line)
    doc.add_formula("z_1", parent=line)
    direct = doc.add_inline_group(parent=outer)
    doc.add_text(DocItemLabel.TEXT, " continued", parent=direct)
    heading = doc.add_heading("", level=2)
    line = doc.add_inline_group(parent=heading)
    doc.add_text(DocItemLabel.TEXT, "made of", parent=line, formatting=Formatting(bold=True))
    doc.add_text(DocItemLabel.TEXT, "parts", parent=line)
    chapter = doc.add_group(name="chapter", label=GroupLabel.CHAPTER)
    caption = doc.add_text(DocItemLabel.CAPTION, "A table_caption <1>", prov=prov(2), parent=chapter)
    note = doc.add_text(DocItemLabel.FOOTNOTE, "A footnote", prov=prov(2), parent=chapter)
    table = doc.add_table(TableData(num_rows=4, num_cols=3, table_cells=[
        TableCell(**cell(0, 0, "Group", column_header=True, row_span=2)),
        TableCell(**cell(0, 1, "Values | all", column_header=True, col_span=2)),
        TableCell(**cell(1, 1, "one", column_header=True)), TableCell(**cell(1, 2, "two", column_header=True)),
        TableCell(**cell(2, 0, " spaced ", row_header=True)), TableCell(**cell(2, 1, "True")),
        TableCell(**cell(2, 2, "1,234.5")), TableCell(**cell(3, 1, "False")), TableCell(**cell(3, 2, "١٢"))]),
        caption=caption, prov=prov(2), parent=chapter)
    table.footnotes.append(note.get_ref())
    doc.add_table(TableData(num_rows=2, num_cols=2, table_cells=[TableCell(**cell(0, 0, "only")),
                                                                 TableCell(**cell(1, 1, "inf"))]), prov=prov(2))
    doc.add_table(TableData(num_rows=1, num_cols=2, table_cells=[TableCell(**cell(0, 1, "head"))]), prov=prov(2))
    doc.add_table(TableData(), prov=prov(2))
    rich = doc.add_table(TableData(num_rows=2, num_cols=2), prov=prov(2))
    group = doc.add_group(parent=rich, name="rich")
    doc.add_heading("Heading in a cell", parent=group)
    doc.add_text(DocItemLabel.TEXT, "and a|text\nof lines", parent=group, formatting=Formatting(italic=True))
    nested = doc.add_table(TableData(num_rows=1, num_cols=2, table_cells=[
        TableCell(**cell(0, 0, "n1")), TableCell(**cell(0, 1, "n2"))]), parent=group)
    for c in (RichTableCell(**cell(0, 0, "plain of it", col_span=2), ref=group.get_ref()),
              TableCell(**cell(1, 0, "x")), TableCell(**cell(1, 1, "2"))):
        doc.add_table_cell(rich, c)
    _ = nested
    caption = doc.add_text(DocItemLabel.CAPTION, "Figure_1", prov=prov(3))
    picture = doc.add_picture(caption=caption, prov=prov(3), image=ImageRef(
        mimetype="image/png", dpi=72, size=Size(width=24, height=16),
        uri="data:image/png;base64," + __import__("base64").b64encode(png()).decode()))
    doc.add_text(DocItemLabel.TEXT, "text in the picture", parent=picture, prov=prov(3))
    picture = doc.add_picture(prov=prov(3), image=ImageRef(
        mimetype="image/png", dpi=72, size=Size(width=1, height=1), uri="images/a b(1).png"))
    picture.annotations.append(DescriptionAnnotation(text="A red_box", provenance="model"))
    picture.annotations.append(PictureClassificationData(provenance="m", predicted_classes=[
        PictureClassificationClass(class_name="bar_chart", confidence=0.4),
        PictureClassificationClass(class_name="pie_chart", confidence=0.6)]))
    picture.annotations.append(PictureTabularChartData(title="t", chart_data=TableData(
        num_rows=2, num_cols=2, table_cells=[TableCell(**cell(r, c, f"{r}{c}")) for r in (0, 1) for c in (0, 1)])))
    doc.add_picture(prov=prov(3))
    graph = GraphData(cells=[GraphCell(label=GraphCellLabel.KEY, cell_id=1, text="Name", orig="Name"),
                             GraphCell(label=GraphCellLabel.VALUE, cell_id=2, text="Ada", orig="Ada")],
                      links=[GraphLink(label=GraphLinkLabel.TO_VALUE, source_cell_id=1, target_cell_id=2)])
    doc.add_key_values(graph, prov=prov(3))
    doc.add_form(graph)
    region = doc.add_field_region(prov=prov(3))
    field = doc.add_field_item(parent=region)
    doc.add_field_key("Born", parent=field)
    doc.add_field_value("1815", parent=field)
    target = doc.add_text(DocItemLabel.TEXT, "commented", prov=prov(3))
    doc.add_comment(text="a comment", targets=[(target, (0, 4))])
    doc.add_text(DocItemLabel.TEXT, "a note", prov=prov(3), content_layer=ContentLayer.NOTES)
    doc.body.meta = None
    return doc


def want(doc):
    """What docling-core writes of a document, with each set of parameters."""
    from docling_core.transforms.serializer.markdown import MarkdownDocSerializer, MarkdownParams
    from docling_core.types.doc import ContentLayer, ImageRefMode
    try:
        embedded = doc.export_to_markdown(image_mode=ImageRefMode.EMBEDDED)
    except ValueError:  # docling-core reads no files
        embedded = None
    out = {
        "markdown": doc.export_to_markdown(),
        "text": doc.export_to_text(),
        "compact": doc.export_to_markdown(compact_tables=True),
        "break": doc.export_to_markdown(page_break_placeholder="<!-- page break -->"),
        "text break": doc.export_to_text(page_break_placeholder="~~~"),
        "embedded": embedded,
        "referenced": doc.export_to_markdown(image_mode=ImageRefMode.REFERENCED),
        "placeholder": doc.export_to_markdown(image_placeholder="[image]"),
        "pictures": doc.export_to_markdown(traverse_pictures=True),
        "text pictures": doc.export_to_text(traverse_pictures=True),
        "layers": doc.export_to_markdown(included_content_layers=set(ContentLayer)),
        "text layers": doc.export_to_text(included_content_layers=set(ContentLayer)),
    }
    pages = {p: doc.export_to_markdown(page_no=p) for p in doc.pages}
    texts = {p: doc.export_to_text(page_no=p) for p in doc.pages}
    items = {}
    for item, depth in doc.iterate_items(with_groups=True, traverse_pictures=True,
                                         included_content_layers=set(ContentLayer)):
        serializer = MarkdownDocSerializer(doc=doc, params=MarkdownParams())
        items[item.self_ref] = [depth, serializer.serialize(item=item).text if depth else ""]
    tables = {t.self_ref: t.data._count_column_header_rows() for t in doc.tables}
    return {"whole": out, "pages": pages, "text pages": texts, "items": items, "headers": tables}


def write(name, doc):
    """Writes a document, and what docling-core makes of it once it has read it."""
    from docling_core.types.doc import DoclingDocument
    text = doc if isinstance(doc, str) else json.dumps(doc.export_to_dict(), ensure_ascii=False)
    read = DoclingDocument.model_validate_json(text)
    if not isinstance(doc, str) and doc.export_to_markdown() != read.export_to_markdown():
        print(name, "is written otherwise once it was read")
    (FOLDER / f"{name}.json").write_text(text)
    (FOLDER / f"{name}.want.json").write_text(json.dumps(want(read), ensure_ascii=False, indent=1))


def main():
    for path in sorted(glob.glob(str(FOLDER / "capture_*.json"))):
        if not path.endswith(".want.json"):
            write(Path(path).stem, Path(path).read_text())
    write("by_hand", by_hand())
    with tempfile.TemporaryDirectory() as folder:
        for name, doc in convert(Path(folder)):
            write(name, doc)


if __name__ == "__main__":
    main()
