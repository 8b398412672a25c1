// Sends the upload form to the HTTP API with the session's cookie, showing how far it is: one manifest, or media files, each on its own and then an
// import of them. It listens on the document and keeps what was chosen and typed: the form is drawn by the server first and replaced when the page
// comes alive, and nothing may be lost by that.
(() => {
  let files = [];
  let key = null;
  let typed = {};
  let complaint = '';
  let request = null;
  let isLive = false;

  const theForm = () => document.querySelector('form.upload');
  const formOf = (e) => e.target instanceof Element ? e.target.closest('form.upload') : null;
  const size = (bytes) => bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
  // What is not plainly media is taken for a manifest: the server says what is wrong with one that is none. Not every system knows every type.
  const isMedia = (file) => /^(video|audio|image)\/|^application\/pdf$/.test(file.type) || /\.(mkv|mts|m2ts|mxf|flv|f4v|wmv|avi|mov|m4v|mpg|mpeg|vob|heic|heif|flac|m4a)$/i.test(file.name);
  const sizeOf = (all) => all.reduce((sum, file) => sum + file.size, 0);
  const part = (name) => theForm()?.querySelector(`[data-${name}]`);

  const tell = (name, text) => { const place = part(name); if (place) place.textContent = text; };
  const complain = (text) => { complaint = text; tell('complaint', text); part('complaint')?.toggleAttribute('hidden', !text); };

  // A chosen file goes before an address.
  const address = () => (files.length ? '' : theForm()?.elements.namedItem('from')?.value.trim() ?? '');
  // The same key for the same again: an upload whose answer was lost makes no second import.
  const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');

  const kindOf = (chosen) => {
    if (!chosen.length || !isMedia(chosen[0])) return '';
    return chosen.length === 1
      ? 'This file itself is uploaded and becomes one asset. To import from a list of URLs, choose a CSV or a workbook.'
      : `These ${chosen.length} files themselves are uploaded, and each becomes an asset.`;
  };

  const show = () => {
    const form = theForm();
    if (!form) return;
    form.querySelector('[type=submit]').disabled = !(files.length || address()) || request !== null;
    part('drop').classList.toggle('chosen', !!files.length);
    if (files.length) tell('file', `${files.length === 1 ? files[0].name : `${files.length} files`} (${size(sizeOf(files))})`);
    tell('kind', kindOf(files));
    part('sending').hidden = request === null;
    part('abort').hidden = request === null;
  };

  // An answer that is not ours comes from a proxy in front of us, as a page that nobody should have to read.
  const ofProxy = (status) => {
    if (status === 413) return 'A proxy in front of BulkImporter does not accept a file of this size (413). Its operator can raise the limit. Or compress the file with gzip: a .csv.gz file works too.';
    if (status === 502 || status === 503) return `BulkImporter is not ready (${status}). Wait a moment and upload again. The same file does not make a second import.`;
    if (status === 504) return 'The proxy in front of BulkImporter timed out (504). Upload again. The same file does not make a second import.';
    return `The server answered ${status}.`;
  };

  const choose = (chosen) => {
    files = Array.from(chosen);
    key = newKey();
    const other = files.length > 1 && files.find((file) => !isMedia(file));
    complain(other ? `${other.name} is not a media file. Choose one list (.csv, .xlsx), or media files only.` : '');
    if (other) files = [];
    show();
  };

  const put = (form) => {
    if (files.length) {
      const chosen = new DataTransfer();
      for (const file of files) chosen.items.add(file);
      form.elements.namedItem('file').files = chosen.files;
    }
    for (const [name, value] of Object.entries(typed)) {
      const field = form.elements.namedItem(name);
      if (field.type === 'checkbox') field.checked = value;
      else field.value = value;
    }
  };

  const over = (text) => { request = null; complain(text); show(); };

  /** One call. `told` hears how many bytes of the body are sent. */
  const post = (path, body, headers, told) => new Promise((done) => {
    const started = request = new XMLHttpRequest();
    started.open('POST', path);
    for (const [name, value] of Object.entries(headers)) started.setRequestHeader(name, value);
    started.responseType = 'json';
    started.upload.addEventListener('progress', (p) => { if (p.lengthComputable) told(p.loaded, p.total); });
    started.addEventListener('load', () => {
      const answer = started.response;
      if (started.status < 300 && answer) return done(answer);
      if (started.status === 401) return location.assign(`sign-in?returnUrl=${encodeURIComponent(location.pathname)}`);
      over(answer?.detail ?? answer?.title ?? ofProxy(started.status));
    });
    started.addEventListener('error', () => over('The connection was lost. Upload again. The same file does not make a second import.'));
    started.addEventListener('abort', () => over('Stopped. If the file had already arrived, its import is in the list.'));
    started.send(body);
    show();
  });

  const progress = (value, text) => { const bar = theForm()?.querySelector('progress'); if (bar) bar.value = value; tell('sent', text); };
  const far = (sent, total) => progress(sent / total, sent < total ? `${Math.floor(100 * sent / total)} % of ${size(total)}` : 'Received, being saved');

  const settings = (form, names, add) => {
    for (const name of names) if (form.elements.namedItem(name).value) add(name, form.elements.namedItem(name).value);
    if (form.elements.namedItem('start').checked) add('start', 'true');
  };

  const sendManifest = (form) => {
    // The settings go before the file, so that a mistake in them is told before the file is sent.
    const body = new FormData();
    settings(form, ['name', 'account', 'map'], (name, value) => body.append(name, value));
    body.append('file', files[0]);
    return post(form.getAttribute('action'), body, { 'Idempotency-Key': key }, far);
  };

  const sendAddress = (form) => {
    const query = new URLSearchParams();
    settings(form, ['name', 'account', 'map'], (name, value) => query.append(name, value));
    progress(0, 'The server fetches it');
    return post(`${form.getAttribute('action')}/address?${query}`, JSON.stringify({ from: address() }), { 'Content-Type': 'application/json', 'Idempotency-Key': key }, () => { });
  };

  const sendFiles = async (form) => {
    const query = new URLSearchParams();
    settings(form, ['name', 'account'], (name, value) => query.append(name, value));
    const [total, kept] = [sizeOf(files), []];
    let sent = 0;
    for (const file of files) {
      const answer = await post('api/v1/files', file, { 'Content-Type': 'application/octet-stream' }, (bytes) => far(sent + bytes, total));
      kept.push({ name: file.name, sha256: answer.sha256 });
      sent += file.size;
    }
    return post(`${form.getAttribute('action')}/files?${query}`, JSON.stringify({ files: kept }), { 'Content-Type': 'application/json', 'Idempotency-Key': key }, () => { });
  };

  const send = async (form) => {
    complain('');
    progress(0, 'Sending');
    const made = await (!files.length ? sendAddress : isMedia(files[0]) ? sendFiles : sendManifest)(form);
    location.assign(`imports/${made.id}`);
  };

  document.addEventListener('change', (e) => {
    const form = formOf(e);
    if (form && e.target.name === 'file' && e.target.files.length) choose(e.target.files);
  });
  // A dialog that was opened on the form that was drawn first may be answered when that form is gone, and then only its own field hears of it.
  document.addEventListener('click', (e) => {
    if (formOf(e) && e.target.name === 'file') e.target.onchange = () => { if (!e.target.isConnected && e.target.files.length) { choose(e.target.files); put(theForm()); } };
  });
  document.addEventListener('input', (e) => {
    if (formOf(e) && e.target.name && e.target.name !== 'file') typed[e.target.name] = e.target.type === 'checkbox' ? e.target.checked : e.target.value;
    if (formOf(e) && e.target.name === 'from') {
      key = newKey();
      show();
    }
  });
  document.addEventListener('submit', (e) => {
    const form = formOf(e);
    if (!form) return;
    e.preventDefault();
    if ((files.length || address()) && !request) send(form);
  });
  document.addEventListener('click', (e) => { if (formOf(e) && e.target.closest('[data-abort]')) request?.abort(); });

  // The form is on another page. Before this page is live, its link would load that page as a whole, and the files would be forgotten.
  const goToForm = () => { if (isLive && (files.length || complaint) && !theForm()) document.querySelector('[data-leads-to-upload]')?.click(); };

  // A file is taken wherever it is dropped on a page that has the form, or leads to it: one that missed the target would replace the page.
  for (const name of ['dragenter', 'dragover', 'dragleave', 'drop']) {
    document.addEventListener(name, (e) => {
      if (!document.querySelector('form.upload, [data-leads-to-upload]') || !e.dataTransfer?.types.includes('Files')) return;
      e.preventDefault();
      document.body.classList.toggle('dropping', name !== 'drop' && (name !== 'dragleave' || e.relatedTarget !== null));
      if (name !== 'drop' || request || !e.dataTransfer.files.length) return;
      choose(e.dataTransfer.files);
      if (theForm()) put(theForm());
      else goToForm();
    });
  }

  document.addEventListener('click', async (e) => {
    const form = formOf(e);
    const sample = form && !request && e.target.closest('[data-sample]');
    if (!sample) return;
    const answer = await fetch(sample.dataset.sample);
    if (!answer.ok) return complain(ofProxy(answer.status));
    choose([new File([await answer.blob()], 'sample.csv', { type: 'text/csv' })]);
    put(form);
    // It is there to be looked at: nothing of it exists.
    form.elements.namedItem('start').checked = typed.start = false;
    send(form);
  });

  window.bulkImporterUpload = {
    restore: (form) => { put(form); complain(complaint); show(); },
    listIsLive: () => { isLive = true; goToForm(); },
  };
})();
