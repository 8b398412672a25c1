// Sends the upload form to the HTTP API with the session's cookie, showing how far it is. It listens on the document and keeps what was
// chosen and typed: the form is drawn by the server first and replaced when the page comes alive, and nothing may be lost by that.
(() => {
  let file = null;
  let key = null;
  let typed = {};
  let request = null;

  const theForm = () => document.querySelector('form.upload');
  const formOf = (e) => e.target instanceof Element ? e.target.closest('form.upload') : null;
  const size = (bytes) => bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
  const part = (name) => theForm()?.querySelector(`[data-${name}]`);

  const tell = (name, text) => { const place = part(name); if (place) place.textContent = text; };
  const complain = (text) => { tell('complaint', text); part('complaint')?.toggleAttribute('hidden', !text); };

  const show = () => {
    const form = theForm();
    if (!form) return;
    form.querySelector('[type=submit]').disabled = !file || request !== null;
    part('drop').classList.toggle('chosen', !!file);
    if (file) tell('file', `${file.name} (${size(file.size)})`);
    part('sending').hidden = request === null;
    part('abort').hidden = request === null;
  };

  const choose = (chosen) => {
    file = chosen;
    // The same key for the same file again: an upload whose answer was lost makes no second import.
    key = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');
    complain('');
    show();
  };

  const put = (form) => {
    if (file) {
      const files = new DataTransfer();
      files.items.add(file);
      form.elements.namedItem('file').files = files.files;
    }
    for (const [name, value] of Object.entries(typed)) {
      const field = form.elements.namedItem(name);
      if (field.type === 'checkbox') field.checked = value;
      else field.value = value;
    }
  };

  const send = (form) => {
    complain('');
    // The settings go before the file, so that a mistake in them is told before the file is sent.
    const body = new FormData();
    for (const name of ['name', 'account', 'map']) if (form.elements.namedItem(name).value) body.append(name, form.elements.namedItem(name).value);
    if (form.elements.namedItem('start').checked) body.append('start', 'true');
    body.append('file', file);

    const started = request = new XMLHttpRequest();
    request.open('POST', form.getAttribute('action'));
    request.setRequestHeader('Idempotency-Key', key);
    request.responseType = 'json';
    const progress = (value, text) => { const bar = theForm()?.querySelector('progress'); if (bar) bar.value = value; tell('sent', text); };
    request.upload.addEventListener('progress', (p) => {
      if (p.lengthComputable) progress(p.loaded / p.total, p.loaded < p.total ? `${Math.floor(100 * p.loaded / p.total)} % of ${size(p.total)}` : 'Received, saving it');
    });
    const over = (text) => { request = null; complain(text); show(); };
    request.addEventListener('load', () => {
      const answer = started.response;
      if (started.status < 300 && answer?.id) return location.assign(`imports/${answer.id}`);
      if (started.status === 401) return location.assign(`sign-in?returnUrl=${encodeURIComponent(location.pathname)}`);
      over(answer?.detail ?? answer?.title ?? `The server answered ${started.status}.`);
    });
    request.addEventListener('error', () => over('The connection broke. Upload again: the same file does not make a second import.'));
    request.addEventListener('abort', () => over('Stopped. If the file had arrived already, its import stands in the list.'));
    request.send(body);
    progress(0, 'Sending');
    show();
  };

  document.addEventListener('change', (e) => {
    const form = formOf(e);
    if (form && e.target.name === 'file' && e.target.files[0]) choose(e.target.files[0]);
  });
  // A dialog that was opened on the form that was drawn first may be answered when that form is gone, and then only its own field hears of it.
  document.addEventListener('click', (e) => {
    if (formOf(e) && e.target.name === 'file') e.target.onchange = () => { if (!e.target.isConnected && e.target.files[0]) { choose(e.target.files[0]); put(theForm()); } };
  });
  document.addEventListener('input', (e) => {
    if (formOf(e) && e.target.name && e.target.name !== 'file') typed[e.target.name] = e.target.type === 'checkbox' ? e.target.checked : e.target.value;
  });
  document.addEventListener('submit', (e) => {
    const form = formOf(e);
    if (!form) return;
    e.preventDefault();
    if (file && !request) send(form);
  });
  document.addEventListener('click', (e) => { if (formOf(e) && e.target.closest('[data-abort]')) request?.abort(); });

  // A file that misses the target would otherwise replace the page.
  for (const name of ['dragenter', 'dragover', 'dragleave', 'drop']) {
    document.addEventListener(name, (e) => {
      if (!theForm()) return;
      e.preventDefault();
      const over = e.target instanceof Element && e.target.closest('[data-drop]');
      part('drop').classList.toggle('over', !!over && name !== 'dragleave' && name !== 'drop');
      if (name !== 'drop' || !over || request || !e.dataTransfer.files.length) return;
      choose(e.dataTransfer.files[0]);
      put(theForm());
    });
  }

  window.bulkImporterUpload = {
    restore: (form) => { put(form); show(); },
  };
})();
