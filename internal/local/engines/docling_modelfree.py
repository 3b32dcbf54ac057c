"""Docling's layout stage and table stage without model weights.

Layout: groups the text cells of the PDF text layer into blocks by vertical gap
and labels a block a section header when its letters are clearly taller than
the page's median. Tables: none are predicted.

Pages without text are reported in the document's errors, as a scan that nobody
read must not look like an empty document.
"""
import importlib.util
from statistics import median

from docling.datamodel.base_models import (
    Cluster, ConversionStatus, DoclingComponentType, ErrorItem, LayoutPrediction,
    TableStructurePrediction)
from docling.models.base_layout_model import BaseLayoutModel
from docling.models.base_table_model import BaseTableStructureModel
from docling.pipeline.standard_pdf_pipeline import StandardPdfPipeline
from docling_core.types.doc import BoundingBox, DocItemLabel

if importlib.util.find_spec("rapidocr"):
    ADVICE = "OCR read none there, or do_ocr was off"
else:
    ADVICE = ("a scan needs OCR: start babyapi-local with --ocr, "
              "or use a full docling-serve with --docling-url")


def warning(message, page_no=None):
    return ErrorItem(component_type=DoclingComponentType.MODEL, module_name="docling_modelfree",
                     error_message=f"{message}; {ADVICE}", page_no=page_no)


class Layout(BaseLayoutModel):
    def __init__(self, artifacts_path=None, accelerator_options=None, options=None,
                 enable_remote_services=False):
        self.options = options

    def predict_layout(self, conv_res, pages):
        return [self.blocks(page) for page in pages]

    @staticmethod
    def blocks(page):
        height = page.size.height
        boxes = [cell.rect.to_bounding_box().to_top_left_origin(height)
                 for cell in page.cells if cell.text.strip()]
        if not boxes:  # perhaps a scan: one region over the whole page, for OCR to fill
            # beside the model's fields: a page without image and text is just blank
            page.__dict__["shows_image"] = any(True for _ in page._backend.get_bitmap_rects())
            box = BoundingBox(l=0, t=0, r=page.size.width, b=height)
            return LayoutPrediction(clusters=[Cluster(
                id=0, bbox=box, confidence=1.0, cells=[], label=DocItemLabel.TEXT)])
        boxes.sort(key=lambda b: (round(b.t), b.l))
        normal = median(b.height for b in boxes)
        blocks = []  # [bounding box, height of its letters]
        for box in boxes:
            last = blocks[-1] if blocks else None
            same_size = last and abs(last[1] - box.height) < 0.2 * normal
            if last and same_size and box.t - last[0].b < 0.6 * normal:
                last[0] = BoundingBox.enclosing_bbox([last[0], box])
            else:
                blocks.append([box, box.height])
        return LayoutPrediction(clusters=[
            Cluster(id=i, bbox=box, confidence=1.0, cells=[],
                    label=DocItemLabel.SECTION_HEADER if tall > 1.15 * normal else DocItemLabel.TEXT)
            for i, (box, tall) in enumerate(blocks)])


class Tables(BaseTableStructureModel):
    def __init__(self, enabled=True, artifacts_path=None, options=None,
                 accelerator_options=None, enable_remote_services=False):
        self.enabled = enabled
        self.options = options

    def predict_tables(self, conv_res, pages):
        return [TableStructurePrediction() for _ in pages]


def has_text(page):
    elements = page.assembled.elements if page.assembled else []
    return any((e.text or "").strip() for e in elements)


def warn_of_pages_without_text():
    """Makes docling call a document partial whose pages were not all read."""
    determine_status = StandardPdfPipeline._determine_status

    def with_warnings(self, conv_res):
        status = determine_status(self, conv_res)
        unread = [p for p in conv_res.pages if not has_text(p)]
        if len(unread) == len(conv_res.pages):
            conv_res.errors.append(warning("no text was found in the document"))
        else:
            unread = [p for p in unread if p.__dict__.get("shows_image")]
            conv_res.errors.extend(
                warning(f"no text was found on page {p.page_no}, which shows an image", p.page_no)
                for p in unread)
        if unread and status == ConversionStatus.SUCCESS:
            return ConversionStatus.PARTIAL_SUCCESS
        return status

    StandardPdfPipeline._determine_status = with_warnings
