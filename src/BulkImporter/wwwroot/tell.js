// Tells by the browser's own notifications that an import ended or stands still. Whether it may is asked once, by a click, and kept.
(() => {
  const Kept = 'bulkimporter-tell';
  const isThere = () => 'Notification' in window;

  // Browsers ask only within a click, and not after a trip to the server.
  document.addEventListener('click', async (e) => {
    const answer = e.target instanceof Element && e.target.closest('[data-tell-answer]')?.dataset.tellAnswer;
    if (!answer) return;
    localStorage.setItem(Kept, answer);
    e.target.closest('[data-tell]').hidden = true;
    if (answer === 'yes') await Notification.requestPermission();
  });

  window.bulkImporterTell = {
    offer: (bar) => { bar.hidden = !isThere() || Notification.permission !== 'default' || localStorage.getItem(Kept) !== null; },
    // The same tag in two tabs is one notification.
    show: (title, body, tag, address) => {
      if (!isThere() || Notification.permission !== 'granted' || localStorage.getItem(Kept) !== 'yes') return;
      const told = new Notification(title, { body, tag, icon: 'favicon.svg' });
      told.onclick = () => { window.focus(); location.assign(address); told.close(); };
    },
  };
})();
