/** Solves a small system of linear equations, by elimination with the largest pivot first. */
export function solve(matrix: Float64Array, right: Float64Array): Float64Array {
  const n = right.length;
  const rows = Array.from({ length: n }, (_, i) => [...matrix.subarray(i * n, (i + 1) * n), right[i] ?? 0]);
  for (let column = 0; column < n; column++) {
    const pivot = rows.slice(column).reduce((a, b) => (size(b, column) > size(a, column) ? b : a));
    const at = rows.indexOf(pivot);
    rows[at] = rows[column] ?? pivot;
    rows[column] = pivot;
    const head = pivot[column] ?? 0;
    if (head === 0) continue;
    for (const row of rows) {
      if (row === pivot) continue;
      const factor = (row[column] ?? 0) / head;
      if (factor !== 0) for (let k = column; k <= n; k++) row[k] = (row[k] ?? 0) - factor * (pivot[k] ?? 0);
    }
  }
  return Float64Array.from(rows, (row, i) => (row[i] ? (row[n] ?? 0) / (row[i] ?? 1) : 0));
}

function size(row: readonly number[], column: number): number {
  return Math.abs(row[column] ?? 0);
}
