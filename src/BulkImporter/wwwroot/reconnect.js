// Starts the live page, and keeps it alive: a lost connection is tried again until it is back, with a quiet bar meanwhile.
(() => {
  const bar = document.getElementById('components-reconnect-modal');
  // A server that was restarted does not know this page any more; its address says what it showed.
  bar.addEventListener('components-reconnect-state-changed', ({ detail: { state } }) => { if (/^(failed|rejected|resume-failed)$/.test(state)) location.reload(); });
  for (const event of ['offline', 'online']) addEventListener(event, () => bar.classList.toggle('offline', event === 'offline'));

  Blazor.start({
    // A link that is followed before the page is live opens its page as a whole. Otherwise the other page would be merged into this one, and
    // replaced by this one's live page when that arrives.
    ssr: { disableDomPreservation: true },
    circuit: {
      configureSignalR: (connection) => connection.withServerTimeout(10000),
      reconnectionOptions: { maxRetries: 1000000, retryIntervalMilliseconds: (tries) => tries < 5 ? 500 : 2000 },
    },
  });
})();
