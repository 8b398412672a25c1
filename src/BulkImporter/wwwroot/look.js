// Light or dark and the time zone: told to the server in cookies before the page is drawn, so that nothing flashes.
(() => {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const choice = () => localStorage.getItem('bulkimporter-look') ?? 'system';
  const isDark = () => choice() === 'dark' || (choice() === 'system' && system.matches);
  const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone ?? '';
  const keep = (name, value) => { document.cookie = `bulkimporter-${name}=${value};path=/;max-age=31536000;samesite=lax`; };

  const tell = () => {
    keep('dark', isDark() ? '1' : '0');
    keep('zone', zone());
    document.documentElement.style.colorScheme = isDark() ? 'dark' : 'light';
    return { dark: isDark(), zone: zone(), choice: choice() };
  };

  let page = null;
  system.addEventListener('change', () => page?.invokeMethodAsync('LookChanged', tell()));
  window.bulkImporterLook = {
    follow: (component) => { page = component; return tell(); },
    // What a browser may load is said with the page, so the page comes anew.
    pictures: (on) => { keep('pictures', on ? '1' : '0'); location.reload(); },
    choose: (next) => { localStorage.setItem('bulkimporter-look', next); return tell(); },
  };
  tell();

  // A page of a list that is turned to is read from its top; with a key held it opens elsewhere, and this one stays.
  document.addEventListener('click', (e) => {
    if (!(e.target instanceof Element) || !e.target.closest('.pager a') || e.ctrlKey || e.metaKey || e.shiftKey) return;
    scrollTo({ top: 0, behavior: 'instant' });
    document.getElementById('content').focus({ preventScroll: true });
  });
})();
