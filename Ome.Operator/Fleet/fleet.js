// Filters rows while one types; the server's search (Enter) also reaches other pages of nodes.
const input = document.querySelector('input[name=q]');
const rows = document.querySelectorAll('#matrix tbody tr, #problems tbody tr');
input?.addEventListener('input', () => {
  const text = input.value.trim().toLowerCase();
  const names = [...document.querySelectorAll('#matrix tbody th')].some(cell => cell.textContent.toLowerCase().includes(text));
  for (const row of rows) {
    const isModelRow = row.closest('#matrix') !== null;
    row.hidden = text !== '' && (names || !isModelRow) && !row.textContent.toLowerCase().includes(text);
  }
});
