"""Writes the two documents of the demo, the same bytes each time.

    uv run --with reportlab==5.1.0 --with python-docx==1.2.0 make.py

Otterbeck Instruments, its tide gauge and its rules are invented. Each fact
stands in one place, so that each question has one right passage.
"""

import datetime
import io
import zipfile
from pathlib import Path

from docx import Document
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

HERE = Path(__file__).parent

# A string is a paragraph, a list of rows a table, None a new page.
MANUAL = [
    ("What the T-90 does", [
        "The T-90 measures the water level at a quay with a pressure sensor that hangs below the lowest tide. "
        "It reports the level by radio to the harbour office. This manual is for the technician who mounts and "
        "services the gauge.",
        [["Property", "Value"],
         ["Measuring range", "0 to 18 metres"],
         ["Accuracy", "4 millimetres"],
         ["Weight of the head", "6.3 kilograms"],
         ["Housing", "bronze, sealed to 30 metres"]],
    ]),
    ("Mounting the gauge", [
        "Bolt the bracket to a vertical wall at least 2 metres away from any ship's propeller. Tighten the four "
        "anchor bolts to 24 newton metres, crosswise. Leave one metre of slack in the sensor cable so that a "
        "diver can lift the sensor out.",
    ]),
    ("Warming up and calibrating", [
        "Switch the gauge on and let it warm up for 40 minutes. Then read the level from the tide staff on the "
        "wall, press SET, and enter the reading. Calibrate again after each dive on the sensor.",
    ]),
    None,
    ("Replacing the desiccant cartridge", [
        "The desiccant cartridge keeps the air in the sensor cable dry. Replace it every 18 months, or at once "
        "when the grains behind the window have turned from orange to green. Close the cap by hand; a tool would "
        "crush the seal.",
    ]),
    ("Replacing the battery", [
        "The lithium battery lasts five years in moderate climates. Swap the pack within two minutes, else the "
        "clock loses the time. Old packs go back to Otterbeck in the red box, never into the household waste.",
    ]),
    ("Cleaning the sensor", [
        "Barnacles on the membrane make the gauge read high. Soak the sensor in vinegar overnight and wipe it "
        "with a soft cloth. Never scrape the membrane with a knife: it is 0.1 millimetres thick.",
    ]),
    ("Storing and shipping", [
        "Store the gauge dry, between -20 and +55 degrees Celsius, with the battery taken out. Ship it in its own "
        "case, as a parcel with the label for lithium batteries.",
    ]),
    None,
    ("E12: no radio network", [
        "The display shows E12 when the radio has found no network for six hours. Check that the antenna stands "
        "upright and is not hidden behind a steel wall.",
    ]),
    ("E31: low battery", [
        "The display shows E31 when the battery voltage is below 13.2 volts. Order a new pack: the gauge runs on "
        "for about ten days.",
    ]),
    ("E47: water in the sensor cable", [
        "The display shows E47 when water has entered the sensor cable. Switch the gauge off, pull the sensor up "
        "and replace the whole cable; drying it does not help.",
    ]),
    ("E58: sudden jump of the level", [
        "The display shows E58 when two readings in a row differ by more than one metre. It clears by itself when "
        "the wash of a passing ship was the cause.",
    ]),
    ("Spare parts", [
        [["Part", "Order number", "Price"],
         ["Sensor cable, 20 metres", "OB-7741", "310 euros"],
         ["Antenna", "OB-2206", "58 euros"],
         ["Bracket with anchor bolts", "OB-1180", "95 euros"]],
    ]),
]

POLICY = [
    ("Who this is for", [
        "This policy applies to everyone employed by Otterbeck Instruments, interns included, from the first day. "
        "Contractors follow the terms of their contract.",
    ]),
    ("Approval before a trip", [
        "Ask your team lead for approval at least ten working days before you leave. A trip that costs more than "
        "4,000 euros also needs the signature of the finance director.",
    ]),
    ("Trains and flights", [
        "Take the train when the journey lasts less than five hours. Business class on a plane is allowed only "
        "for flights longer than nine hours.",
    ]),
    ("Hotels", [
        "The company pays for a room up to the limit of the city. Breakfast is included in the limit.",
        [["City", "Limit per night"],
         ["Oslo", "210 euros"],
         ["Lisbon", "140 euros"],
         ["Hamburg", "165 euros"],
         ["Other cities", "130 euros"]],
    ]),
    ("Meals", [
        "For a full day of travel you receive 46 euros for meals, for a day of less than eight hours 21 euros. "
        "Alcohol is never paid.",
    ]),
    ("Driving your own car", [
        "When you drive your own car on business, the company pays 0.42 euros per kilometre. Tolls and parking "
        "are paid on top; fines are not.",
    ]),
    ("Handing in a claim", [
        "Hand in your claim within 30 days of coming home. Attach a receipt for everything that cost more than "
        "15 euros. The money is paid out with the next salary.",
    ]),
    ("Lost receipts", [
        "If a receipt is lost, write a signed statement instead. Two such statements are accepted per year.",
    ]),
]


def write_pdf(path):
    title = ParagraphStyle("title", fontName="Helvetica-Bold", fontSize=24, leading=30, spaceAfter=8 * mm)
    heading = ParagraphStyle("heading", fontName="Helvetica-Bold", fontSize=16, leading=20, spaceBefore=8 * mm, spaceAfter=3 * mm)
    text = ParagraphStyle("text", fontName="Helvetica", fontSize=11, leading=15)
    lines = TableStyle([("FONTSIZE", (0, 0), (-1, -1), 11), ("FONTNAME", (0, 0), (-1, 0), "Helvetica-Bold"),
                        ("GRID", (0, 0), (-1, -1), 0.5, "#888888")])
    story = [Paragraph("T-90 Tide Gauge: Service Manual", title)]
    for section in MANUAL:
        if section is None:
            story.append(PageBreak())
            continue
        name, parts = section
        story.append(Paragraph(name, heading))
        for part in parts:
            if isinstance(part, str):
                story.append(Paragraph(part, text))
            else:
                story += [Spacer(1, 4 * mm), Table(part, style=lines, hAlign="LEFT")]
    SimpleDocTemplate(str(path), pagesize=A4, invariant=1, title="T-90 Tide Gauge: Service Manual",
                      author="Otterbeck Instruments").build(story)


def write_docx(path):
    doc = Document()
    doc.core_properties.author = "Otterbeck Instruments"
    doc.core_properties.title = "Travel and Expense Policy"
    doc.core_properties.created = doc.core_properties.modified = datetime.datetime(2026, 1, 1)
    doc.add_heading("Travel and Expense Policy", 0)
    for name, parts in POLICY:
        doc.add_heading(name, 1)
        for part in parts:
            if isinstance(part, str):
                doc.add_paragraph(part)
                continue
            table = doc.add_table(rows=0, cols=len(part[0]), style="Table Grid")
            for row in part:
                for cell, value in zip(table.add_row().cells, row):
                    cell.text = value
    relations = doc.part.package.rels
    for key in [k for k, r in relations.items() if r.reltype.endswith("/thumbnail")]:
        del relations[key]  # a picture of python-docx's own template
    written = io.BytesIO()
    doc.save(written)
    # the same members again, without the time of day
    with zipfile.ZipFile(written) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), old.read(name), zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    write_pdf(HERE / "t90-service-manual.pdf")
    write_docx(HERE / "travel-policy.docx")
