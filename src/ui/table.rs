//! Columns of equal width; a column without a value is left out.

use super::line::Line;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// A column's heading and the side its values stand on.
pub(super) type Column<'a> = (Align, &'a str);

const GAP: usize = 2;

/// With a line of headings.
pub(super) fn table(columns: &[Column], rows: Vec<Vec<Line>>) -> Vec<Line> {
    let used: Vec<bool> = used(columns, &rows);
    let heads = columns
        .iter()
        .map(|(_, head)| Line::default().dim(*head))
        .collect();
    let all = std::iter::once(heads).chain(rows);
    let rows = all.map(|row: Vec<Line>| keep(row, &used)).collect();
    aligned(
        &keep(columns.iter().map(|(align, _)| *align).collect(), &used),
        rows,
    )
}

/// Without headings.
pub(super) fn aligned(aligns: &[Align], rows: Vec<Vec<Line>>) -> Vec<Line> {
    let widths: Vec<usize> = (0..aligns.len())
        .map(|at| {
            rows.iter()
                .filter_map(|row| row.get(at))
                .map(Line::width)
                .max()
                .unwrap_or(0)
        })
        .collect();
    rows.into_iter()
        .map(|row| join(row, aligns, &widths))
        .collect()
}

fn used(columns: &[Column], rows: &[Vec<Line>]) -> Vec<bool> {
    let filled = |at: usize| {
        rows.iter()
            .any(|row| row.get(at).is_some_and(|cell| !cell.is_empty()))
    };
    (0..columns.len()).map(filled).collect()
}

fn keep<T>(row: Vec<T>, used: &[bool]) -> Vec<T> {
    row.into_iter()
        .zip(used)
        .filter(|(_, used)| **used)
        .map(|(cell, _)| cell)
        .collect()
}

fn join(row: Vec<Line>, aligns: &[Align], widths: &[usize]) -> Line {
    let cells = row
        .into_iter()
        .zip(aligns)
        .zip(widths)
        .filter(|(_, width)| **width > 0);
    let mut line = Line::default();
    for ((cell, align), width) in cells {
        let gap = if line.is_empty() { 0 } else { GAP };
        line = line.then(pad(cell, *align, *width).indent(gap));
    }
    line
}

fn pad(cell: Line, align: Align, width: usize) -> Line {
    let missing = width - cell.width();
    match align {
        Align::Left => cell.plain(" ".repeat(missing)),
        Align::Right => cell.indent(missing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_and_empty_ones_go() {
        let columns = [
            (Align::Left, "release"),
            (Align::Left, "cost"),
            (Align::Right, "requests"),
        ];
        let rows = vec![
            vec!["r9".into(), "".into(), "1".into()],
            vec!["r12".into(), "".into(), "1,204,777".into()],
        ];
        let text: Vec<_> = table(&columns, rows)
            .iter()
            .map(|line| line.paint(false))
            .collect();
        assert_eq!(
            text,
            [
                "release   requests",
                "r9               1",
                "r12      1,204,777",
            ]
        );
    }
}
