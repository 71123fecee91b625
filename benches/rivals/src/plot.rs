//! The times as bars, in an SVG of its own: a panel for each operation and version, in it each packet with a scale of its own.

use std::fmt::Write as _;

use mqtt_core::ProtocolVersion;

use crate::{
    groups::{COPY_ALONE, OURS, Operation, VERSIONS},
    packets::Case,
    report::{Results, nanoseconds},
};

const PANEL: u32 = 560;
/// Where bars begin, right of the names.
const BARS: u32 = 160;
/// The longest bar.
const LONGEST: f64 = 300.0;
const LINE: u32 = 13;

/// All of it.
#[must_use]
pub fn svg(results: &Results<'_>) -> String {
    let mut body = String::new();
    let mut top = LINE;
    for operation in Operation::ALL {
        let mut bottom = top;
        for (column, mqtt) in (0..).zip(VERSIONS) {
            bottom = bottom.max(panel(
                &mut body,
                results,
                operation,
                mqtt,
                column * PANEL,
                top,
            ));
        }
        top = bottom + 2 * LINE;
    }
    let width = PANEL * 2;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{top}\" viewBox=\"0 0 {width} {top}\" \
         font-family=\"sans-serif\" font-size=\"10\">\n<rect width=\"{width}\" height=\"{top}\" fill=\"#fff\"/>\n{body}</svg>\n"
    )
}

/// Draws a panel and returns where it ends.
fn panel(
    body: &mut String,
    results: &Results<'_>,
    operation: Operation,
    mqtt: ProtocolVersion,
    left: u32,
    top: u32,
) -> u32 {
    let mut y = top + LINE;
    let x = left + 8;
    _ = writeln!(
        body,
        "<text x=\"{x}\" y=\"{y}\" font-size=\"14\" font-weight=\"bold\">{operation}, MQTT {mqtt}</text>"
    );
    for case in Case::ALL {
        let mut row: Vec<_> = results.row(operation, mqtt, case).collect();
        if row.is_empty() {
            continue;
        }
        row.sort_by(|(_, a), (_, b)| a.ns.total_cmp(&b.ns));
        let most = row.iter().map(|(_, figure)| figure.ns).fold(0.0, f64::max);
        y += 2 * LINE;
        _ = writeln!(
            body,
            "<text x=\"{x}\" y=\"{y}\" font-weight=\"bold\">{}</text>",
            case.name()
        );
        for (name, figure) in row {
            y += LINE;
            let length = (figure.ns / most * LONGEST).max(1.0);
            let colour = match name {
                OURS => "#d9480f",
                COPY_ALONE => "#ced4da",
                _ => "#4c6ef5",
            };
            let (bar, middle) = (left + BARS, y - 9);
            _ = writeln!(
                body,
                "<text x=\"{}\" y=\"{y}\" text-anchor=\"end\">{name}</text>\
                 <rect x=\"{bar}\" y=\"{middle}\" width=\"{length:.1}\" height=\"10\" fill=\"{colour}\"/>\
                 <text x=\"{:.1}\" y=\"{y}\">{} ns</text>",
                bar - 6,
                f64::from(bar) + length + 4.0,
                nanoseconds(figure.ns),
            );
        }
    }
    y
}
