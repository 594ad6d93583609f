import type { Row } from '../section.js';
import type { Spread } from './statistics.js';

const HEADS = [
  'candidate',
  'requests/s (min–max)',
  'p99 ms',
  'CPU µs/request: front',
  'behind',
  'database',
  'ratio (min–max)',
  'to',
  'target',
  '',
];

/** A Markdown table, so that it can go into the documentation as it is. */
export function table(rows: readonly Row[]): string {
  const cells = rows.map(cellsOf);
  const widths = HEADS.map((head, i) => Math.max(head.length, ...cells.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]) => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(HEADS), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line), ''].join('\n');
}

function cellsOf({ group, name, requestsPerSecond, p99Ms, cpu, ratio }: Row): string[] {
  return [
    `${group}: ${name}`,
    shown(requestsPerSecond, (rate) => rate.toFixed(0)),
    p99Ms.toFixed(1),
    micros(cpu.front),
    cpu.behind === 0 ? '' : micros(cpu.behind),
    micros(cpu.database),
    ratio ? shown(ratio, (value) => value.toFixed(2)) : '',
    ratio?.to ?? '',
    ratio?.target === undefined ? '' : `≥ ${Math.round(100 * ratio.target) / 100}`,
    verdict(ratio),
  ];
}

function micros(value: number): string {
  return Number.isNaN(value) ? '?' : value.toFixed(0);
}

function shown({ median, min, max }: Spread, format: (value: number) => string): string {
  return `${format(median)} (${format(min)}–${format(max)})`;
}

function verdict(ratio: Row['ratio']): string {
  if (ratio?.target === undefined) return '';
  return ratio.median >= ratio.target ? 'met' : 'missed';
}
