// The imports on Hangfire's page: asked for again at the pace of Hangfire's own numbers, and the order of their button.
(() => {
  const page = document.getElementById('imports');
  const live = document.getElementById('imports-live');
  if (!page || !live) return;
  const answered = document.getElementById('imports-answer');
  const lost = document.getElementById('imports-lost');
  const pace = Number(document.getElementById('hangfireConfig').dataset.pollinterval);
  const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? '';
  let drawn = '';
  let next = 0;

  // The session has ended: the page itself leads to the sign-in and back.
  const isSignIn = (reply) => reply.redirected && (location.reload(), true);

  const draw = (html) => {
    if (html === drawn) return;
    drawn = html;
    const focused = document.activeElement?.id;
    live.innerHTML = html;
    if (focused) document.getElementById(focused)?.focus();
  };

  const look = async () => {
    clearTimeout(next);
    // A page that nobody sees asks for nothing; it looks as soon as it is seen.
    if (document.hidden) return;
    try {
      const reply = await fetch(page.dataset.live);
      if (isSignIn(reply)) return;
      if (!reply.ok) throw new Error(String(reply.status));
      draw(await reply.text());
      lost.hidden = true;
    } catch {
      lost.hidden = false;
    }
    lookAfter(pace);
  };

  const lookAfter = (milliseconds) => {
    clearTimeout(next);
    next = setTimeout(look, milliseconds);
  };

  const say = (button, text, isGood) => {
    const name = document.getElementById(button.getAttribute('aria-describedby'))?.textContent;
    answered.textContent = name ? `${name}: ${text}` : text;
    answered.className = `alert ${isGood ? 'alert-success' : 'alert-warning'}`;
  };

  page.addEventListener('click', async (click) => {
    const button = click.target.closest('[data-rerun]');
    if (!button || !confirm(button.dataset.confirm)) return;
    button.disabled = true;
    try {
      const reply = await fetch(button.dataset.rerun, { method: 'POST', headers: { [meta('csrf-header')]: meta('csrf-token') } });
      if (isSignIn(reply)) return;
      const isSentence = reply.headers.get('content-type')?.startsWith('text/plain');
      say(button, isSentence ? await reply.text() : `The server refused it (${reply.status}). Load the page again and try once more.`, reply.ok);
    } catch {
      say(button, 'The server does not answer. Nothing is known of what became of the rerun: look at the numbers before you try again.', false);
    }
    button.disabled = false;
    // The server looks at a changed import within a second.
    lookAfter(1000);
  });

  document.addEventListener('visibilitychange', look);
  lookAfter(pace);
})();
