import { hash } from 'node:crypto'

const style = `
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: #f5f6f8; color: #1c2430;
  font: 16px/1.5 system-ui, sans-serif }
main { box-sizing: border-box; width: min(28rem, 100vw - 2rem); background: #fff; border: 1px solid #d8dde5; border-radius: 8px; padding: 2rem }
h1 { font-size: 1.25rem; margin: 0 0 1rem }
label { display: block; font-weight: 600; margin-bottom: .25rem }
input, button { box-sizing: border-box; width: 100%; font: inherit; padding: .6rem .75rem; border-radius: 6px }
input { border: 1px solid #6b7686 }
button { margin-top: 1rem; border: 0; background: #1f5fae; color: #fff; font-weight: 600; cursor: pointer }
:focus-visible { outline: 3px solid #8ab4f0; outline-offset: 2px }
p { margin: 1rem 0 0; color: #4a5565 }
.fault { color: #9c1c1c; font-weight: 600; margin: 0 0 1rem }
@media (prefers-color-scheme: dark) {
  body { background: #14181f; color: #e6e9ee }
  main { background: #1d232c; border-color: #38424f }
  input { background: #14181f; color: inherit }
  p { color: #a9b3c1 }
  .fault { color: #ff9a9a }
}`

/** Content-Security-Policy of the login page: its own style, a form to itself, nothing else. */
export const loginPolicy =
  `default-src 'none'; style-src 'sha256-${hash('sha256', style, 'base64')}'; form-action 'self'; ` +
  `base-uri 'none'; frame-ancestors 'none'`

/** The page that asks for a token. Needs no other file: without a token none is served. `action` is an address of ours. */
export function loginPage(action: string, fault?: string): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Millrace operations</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>Millrace operations</h1>
${fault === undefined ? '' : `<p class="fault" role="alert">${fault}</p>\n`}<form method="post" action="${action}">
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button>Open</button>
</form>
<p>The tokens of operators and viewers are in <code>secrets.json</code> of the system's home, or in its settings.</p>
</main>
</body>
</html>
`
}
