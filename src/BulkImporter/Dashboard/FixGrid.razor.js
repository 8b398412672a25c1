// What a page without a script cannot do with a grid of fields: take a part of a spreadsheet that is pasted, and move between rows by the keyboard.
const mostAtOnce = 200_000; // characters in one message to the server
const columns = 3;

// Cells of a spreadsheet come with tabs between them; one with a line break or a tab in it stands in quotes.
function cells(text) {
  const rows = [];
  let row = [], cell = '', quoted = false;
  for (let at = 0; at < text.length; at++) {
    const c = text[at];
    if (quoted) {
      if (c !== '"') cell += c;
      else if (text[at + 1] === '"') { cell += c; at++; }
      else quoted = false;
    } else if (c === '"' && cell === '') quoted = true;
    else if (c === '\t') { row.push(cell); cell = ''; }
    else if (c === '\n') { row.push(cell); rows.push(row); row = []; cell = ''; }
    else if (c !== '\r') cell += c;
  }
  if (cell !== '' || row.length) { row.push(cell); rows.push(row); }
  return rows;
}

export function attach(grid, page) {
  grid.addEventListener('paste', async (e) => {
    const field = e.target.closest?.('input[data-column]');
    const text = e.clipboardData.getData('text/plain');
    if (!field || !/[\t\n]/.test(text)) return;
    e.preventDefault();
    const rows = cells(text).map((row) => row.slice(0, columns).map((cell) => cell.slice(0, 10_000)));
    for (let from = 0; from < rows.length;) {
      let to = from;
      for (let size = 0; to < rows.length && (to === from || size < mostAtOnce); to++) size += rows[to].reduce((sum, cell) => sum + cell.length + 8, 8);
      await page.invokeMethodAsync('PasteAsync', Number(field.dataset.row), field.dataset.column, from, rows.slice(from, to), to === rows.length);
      from = to;
    }
  });
  grid.addEventListener('keydown', (e) => {
    const field = e.target.closest?.('input[data-column]');
    const step = { ArrowUp: -1, ArrowDown: 1, Enter: 1 }[e.key];
    if (!field || !step) return;
    const column = [...grid.querySelectorAll(`input[data-column="${field.dataset.column}"]`)];
    const next = column[column.indexOf(field) + step];
    if (!next) return;
    e.preventDefault();
    next.focus();
    next.select();
  });
}
