// @ts-check
/** A number as this page writes it, whole. */
const NUMBER = /^[+-]?((\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?|Infinity)$/;

/** Writes rows of cells as CSV. @param {string[][]} rows */
export function csvOf(rows) {
  return rows.map((r) => r.map(cell).join(",")).join("\r\n") + "\r\n";
}

/** Quotes a cell, and keeps a spreadsheet from reading a text as a formula. @param {string} text */
function cell(text) {
  const safe = /^[=+\-@\t\r\n]/.test(text) && !NUMBER.test(text) ? "'" + text : text;
  return '"' + safe.replace(/"/g, '""') + '"';
}
