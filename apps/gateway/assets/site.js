// The pages work without this file. It keeps a second click from sending a form twice, and lets a typed
// password be looked at.
'use strict'

for (const form of document.querySelectorAll('form[method="post"]')) {
  let sent = false
  form.addEventListener('submit', (event) => {
    if (sent) return event.preventDefault()
    sent = true
    for (const button of form.querySelectorAll('.button')) button.setAttribute('aria-disabled', 'true')
    // When no answer comes and the visitor stops waiting, the form can be sent again.
    setTimeout(again, 15_000)
  })
  const again = () => {
    sent = false
    for (const button of form.querySelectorAll('[aria-disabled]')) button.removeAttribute('aria-disabled')
  }
  // A page that comes back from the browser's own store may be sent again.
  window.addEventListener('pageshow', (event) => {
    if (event.persisted) again()
  })
}

for (const input of document.querySelectorAll('input[type="password"]')) {
  const label = document.querySelector(`label[for="${input.id}"]`)?.textContent?.trim() ?? 'password'
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'reveal'
  const show = (shown) => {
    input.type = shown ? 'text' : 'password'
    button.textContent = shown ? 'Hide' : 'Show'
    button.setAttribute('aria-label', `${shown ? 'Hide' : 'Show'} ${label.toLowerCase()}`)
  }
  show(false)
  button.addEventListener('click', () => show(input.type === 'password'))
  // Sent as text, a browser could offer it in the list of earlier entries.
  input.form?.addEventListener('submit', () => show(false))
  input.parentElement?.classList.add('with-button')
  input.after(button)
}
