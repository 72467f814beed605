/**
 * Brings the list up to date when the inbox has changed, at most once a second. The server renders; the
 * script puts its answer in place and leaves focus and search field alone.
 */
export const inboxScript = `'use strict'
const feed = new EventSource('/feed')
let timer
let missed = false

async function refresh() {
  timer = undefined
  if (document.hidden) { missed = true; return }
  const response = await fetch(location.href, { headers: { accept: 'text/html' } })
  if (!response.ok) return
  const fresh = new DOMParser().parseFromString(await response.text(), 'text/html')
  const focused = document.activeElement?.getAttribute('href')
  const confirming = document.querySelector('details[open]')
  for (const id of confirming ? ['count', 'mails'] : ['count', 'mails', 'clear']) {
    const part = fresh.getElementById(id)
    if (part) document.getElementById(id)?.replaceWith(part)
  }
  if (focused) document.querySelector('a[href="' + CSS.escape(focused) + '"]')?.focus()
}

feed.addEventListener('changed', () => { timer ??= setTimeout(refresh, 1000) })
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && missed) { missed = false; refresh() }
})
`
