// Copies the text, or marks it where the browser does not let a page write to the clipboard (plain http on another machine).
export function attach(line) {
  const text = line.querySelector('input');
  const button = line.querySelector('button');
  text.addEventListener('focus', () => text.select());
  button.addEventListener('click', async () => {
    text.select();
    try {
      await navigator.clipboard.writeText(text.value);
      button.textContent = 'Copied';
    } catch {
      button.textContent = 'Press Ctrl-C';
      text.focus();
    }
  });
}
