/** The rows of the first table under a heading of a Markdown page, by the names of its columns, without back-ticks. */
export function tableOf(page: string, heading: string): Record<string, string>[] {
  const lines = page.split("\n");
  const from = lines.findIndex((line) => new RegExp(`^#+ ${heading}$`).test(line));
  if (from < 0) throw new Error(`the page has no heading ${heading}`);
  const start = lines.findIndex((line, at) => at > from && line.startsWith("|"));
  const end = lines.findIndex((line, at) => at > start && !line.startsWith("|"));
  const [head = [], , ...rows] = lines.slice(start, end < 0 ? undefined : end).map(cells);
  return rows.map((row) => Object.fromEntries(head.map((name, at) => [name, row[at] ?? ""])));
}

function cells(line: string): string[] {
  return line
    .slice(1, line.lastIndexOf("|"))
    .split("|")
    .map((cell) => cell.trim().replaceAll("`", ""));
}
