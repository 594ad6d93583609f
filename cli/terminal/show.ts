/** Answers for people: lists as tables, single things as lines of name and value. */
import { clean } from './terminal.js';

type Row = Readonly<Record<string, unknown>>;

const GAP = '  ';
const MIN_CELL = 8;

export function table(rows: readonly Row[], columns: readonly string[], width: number): string {
  if (rows.length === 0) return 'none\n';
  const cells = [columns.map(heading), ...rows.map((row) => columns.map((column) => cell(row[column])))];
  const widths = narrowed(
    columns.map((_, i) => Math.max(...cells.map((line) => lengthOf(line[i] ?? '')))),
    width,
  );
  return cells
    .map((line) => `${line.map((text, i) => pad(text, widths[i] ?? MIN_CELL)).join(GAP)}`.trimEnd())
    .map((line) => `${line}\n`)
    .join('');
}

export function lines(body: Row): string {
  const members = Object.entries(body).filter(([, value]) => value !== null && value !== undefined);
  const width = Math.max(0, ...members.map(([name]) => heading(name).length));
  return members.map(([name, value]) => `${heading(name).padEnd(width)}${GAP}${cell(value)}\n`).join('');
}

function heading(name: string): string {
  return name.replaceAll('_', ' ');
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return value.map(cell).join(', ');
  if (typeof value === 'object') return clean(JSON.stringify(value));
  return clean(String(value)).replaceAll(/\s+/g, ' ');
}

function lengthOf(text: string): number {
  return [...text].length;
}

/** Takes from the widest column until the line fits. */
function narrowed(widths: number[], total: number): number[] {
  const fitted = [...widths];
  const space = total - GAP.length * (widths.length - 1);
  for (let over = fitted.reduce((sum, width) => sum + width, 0) - space; over > 0; over -= 1) {
    const widest = fitted.indexOf(Math.max(...fitted));
    if ((fitted[widest] ?? 0) <= MIN_CELL) break;
    fitted[widest] = (fitted[widest] ?? 0) - 1;
  }
  return fitted;
}

function pad(text: string, width: number): string {
  const length = lengthOf(text);
  return length > width ? `${[...text].slice(0, width - 1).join('')}…` : text + ' '.repeat(width - length);
}
