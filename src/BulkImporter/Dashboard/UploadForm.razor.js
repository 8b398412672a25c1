// Sends the form to the HTTP API with the session's cookie, showing how far it is. The server needs nothing of the page to take it.

export function attach(form) {
  const input = form.elements.namedItem('file');
  const drop = form.querySelector('[data-drop]');
  const submit = form.querySelector('[type=submit]');
  const find = (name) => form.querySelector(`[data-${name}]`);
  const bar = form.querySelector('progress');
  let request = null;
  let key = null;

  const size = (bytes) => bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
  const complain = (text) => { find('complaint').textContent = text; find('complaint').hidden = !text; };

  const show = () => {
    const file = input.files[0];
    submit.disabled = !file || request !== null;
    drop.classList.toggle('chosen', !!file);
    if (file) find('file').textContent = `${file.name} (${size(file.size)})`;
    find('sending').hidden = request === null;
    find('abort').hidden = request === null;
  };

  // The same key for the same file again: an upload whose answer was lost makes no second import.
  const newKey = () => { key = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join(''); };
  input.addEventListener('change', () => { newKey(); complain(''); show(); });

  for (const name of ['dragenter', 'dragover']) drop.addEventListener(name, (e) => { e.preventDefault(); drop.classList.add('over'); });
  for (const name of ['dragleave', 'drop']) drop.addEventListener(name, (e) => { e.preventDefault(); drop.classList.remove('over'); });
  drop.addEventListener('drop', (e) => {
    if (request || !e.dataTransfer.files.length) return;
    input.files = e.dataTransfer.files;
    input.dispatchEvent(new Event('change'));
  });
  // A file that misses the target would otherwise replace the page.
  for (const name of ['dragover', 'drop']) window.addEventListener(name, (e) => { if (form.isConnected) e.preventDefault(); });

  find('abort').addEventListener('click', () => request?.abort());

  form.addEventListener('submit', (e) => {
    e.preventDefault();
    if (request || !input.files[0]) return;
    complain('');

    // The settings go before the file, so that a mistake in them is told before the file is sent.
    const body = new FormData();
    for (const name of ['name', 'account', 'map']) if (form.elements.namedItem(name).value) body.append(name, form.elements.namedItem(name).value);
    if (form.elements.namedItem('start').checked) body.append('start', 'true');
    body.append('file', input.files[0]);

    request = new XMLHttpRequest();
    request.open('POST', form.getAttribute('action'));
    request.setRequestHeader('Idempotency-Key', key);
    request.responseType = 'json';
    request.upload.addEventListener('progress', (p) => {
      if (!p.lengthComputable) return;
      bar.value = p.loaded / p.total;
      find('sent').textContent = p.loaded < p.total ? `${Math.floor(100 * p.loaded / p.total)} % of ${size(p.total)}` : 'Received, saving it';
    });
    const over = (text) => { request = null; complain(text); show(); };
    request.addEventListener('load', () => {
      const answer = request.response;
      if (request.status < 300 && answer?.id) return location.assign(`/imports/${answer.id}`);
      if (request.status === 401) return location.assign(`/sign-in?returnUrl=${encodeURIComponent(location.pathname)}`);
      over(answer?.detail ?? answer?.title ?? `The server answered ${request.status}.`);
    });
    request.addEventListener('error', () => over('The connection broke. Upload again: the same file does not make a second import.'));
    request.addEventListener('abort', () => over('Stopped. If the file had arrived already, its import stands in the list.'));
    request.send(body);
    bar.value = 0;
    find('sent').textContent = 'Sending';
    show();
  });

  show();
}
