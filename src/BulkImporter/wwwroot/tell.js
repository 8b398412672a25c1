// Tells by the browser's own notifications that an import ended or stands still. Whether it may is asked once, by a click, and kept.
(() => {
  const Kept = 'bulkimporter-tell';
  const Seen = 'bulkimporter-seen';
  const isThere = () => 'Notification' in window;

  // Browsers ask only within a click, and not after a trip to the server.
  document.addEventListener('click', async (e) => {
    const answer = e.target instanceof Element && e.target.closest('[data-tell-answer]')?.dataset.tellAnswer;
    if (!answer) return;
    localStorage.setItem(Kept, answer);
    e.target.closest('[data-tell-offer]').hidden = true;
    if (answer === 'yes') await Notification.requestPermission();
  });

  const tell = (link) => {
    if (!isThere() || Notification.permission !== 'granted' || localStorage.getItem(Kept) !== 'yes') return;
    // The same tag in two tabs is one notification.
    const told = new Notification(link.title, { body: link.textContent, tag: `import-${link.dataset.tellImport}`, icon: 'favicon.svg' });
    told.onclick = () => { window.focus(); location.assign(link.href); told.close(); };
  };

  // How the imports stood when this tab last saw them outlives the page: one that ended while the connection was away, or the computer
  // asleep, is told when the page is back.
  const look = () => {
    const links = document.querySelectorAll('[data-tell-import]');
    if (!links.length) return;
    const seen = JSON.parse(sessionStorage.getItem(Seen) ?? '{}');
    for (const link of links) {
      const { tellImport: id, tellStands: stands } = link.dataset;
      if (stands && id in seen && seen[id] !== stands) tell(link);
      seen[id] = stands;
    }
    sessionStorage.setItem(Seen, JSON.stringify(seen));
    const offer = document.querySelector('[data-tell-offer]');
    if (offer) offer.hidden = !isThere() || Notification.permission !== 'default' || localStorage.getItem(Kept) !== null;
  };

  addEventListener('DOMContentLoaded', () => {
    look();
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributeFilter: ['data-tell-stands'] });
  });
})();
