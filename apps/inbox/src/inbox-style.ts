/** The look of the inbox. System fonts and colours for light and dark; one column on a phone. */
export const inboxStyle = `
:root {
  color-scheme: light dark;
  --ground: #f6f7f9; --sheet: #ffffff; --line: #d9dde3; --edge: #78859a; --text: #1b2430; --faint: #566173;
  --accent: #1d4ed8; --hover: #eef2fb; --danger: #b42318;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12161c; --sheet: #1b212a; --line: #333d4b; --edge: #76849a; --text: #e8ecf2; --faint: #a3afc0;
    --accent: #8ab4ff; --hover: #232c39; --danger: #ff9c8f;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 0 1rem 2rem; background: var(--ground); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

.top { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1rem; padding: 1rem 0; }
.top h1 { margin: 0; font-size: 1.25rem; }
.top h1 a { color: inherit; text-decoration: none; }
.top p { margin: 0; color: var(--faint); }
.search { display: flex; gap: .5rem; flex: 1 1 20rem; justify-content: flex-end; }
.search input { flex: 1; max-width: 24rem; min-width: 0; }
input, button, summary { font: inherit; padding: .4rem .75rem; border: 1px solid var(--edge); border-radius: .375rem; background: var(--sheet); color: var(--text); min-height: 2.5rem; }
::placeholder { color: var(--faint); opacity: 1; }
button, summary { cursor: pointer; }
button:hover, summary:hover { background: var(--hover); }
details { position: relative; }
summary { list-style: none; }
summary::-webkit-details-marker { display: none; }
details form { position: absolute; right: 0; top: calc(100% + .25rem); z-index: 1; white-space: nowrap; }
details button { border-color: var(--danger); color: var(--danger); box-shadow: 0 4px 12px rgb(0 0 0 / .2); }

.mails { list-style: none; margin: 0; padding: 0; background: var(--sheet); border: 1px solid var(--line); border-radius: .5rem; overflow: hidden; }
.mails li + li { border-top: 1px solid var(--line); }
.mails a { display: grid; grid-template-columns: minmax(0, 2fr) minmax(0, 3fr) auto 5rem; gap: .25rem 1rem; padding: .6rem 1rem; color: inherit; text-decoration: none; }
.mails a:hover { background: var(--hover); }
.mails a:focus-visible { outline-offset: -3px; }
.to, .subject { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.to { font-weight: 600; }
time, .size { color: var(--faint); font-variant-numeric: tabular-nums; white-space: nowrap; }
.size { text-align: right; }
.more { text-align: center; }
.nothing { padding: 4rem 1rem; text-align: center; color: var(--faint); }
.nothing code { color: var(--text); overflow-wrap: anywhere; }

.mail { background: var(--sheet); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem 1.25rem 1.25rem; }
.mail h2 { margin: 0 0 .75rem; font-size: 1.25rem; line-height: 1.3; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: .125rem 1rem; margin: 0 0 1rem; }
dt { color: var(--faint); }
dd { margin: 0; overflow-wrap: anywhere; }
.views { display: flex; gap: .25rem; border-bottom: 1px solid var(--line); margin-bottom: 1rem; overflow-x: auto; }
.views a { padding: .5rem .9rem; color: var(--faint); text-decoration: none; border-bottom: 3px solid transparent; }
.views a:hover { color: var(--text); }
.views a:focus-visible { outline-offset: -3px; }
.views a[aria-current] { color: var(--text); font-weight: 600; border-bottom-color: var(--accent); }
iframe { display: block; width: 100%; height: 70vh; min-height: 24rem; border: 1px solid var(--line); border-radius: .375rem; background: #ffffff; color-scheme: light dark; }
pre { margin: 0; padding: 1rem; overflow: auto; max-height: 75vh; background: var(--ground); border: 1px solid var(--line); border-radius: .375rem; font: .875rem/1.5 ui-monospace, monospace; }
pre.wrapped { white-space: pre-wrap; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; }
th, td { padding: .3rem 1rem .3rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { font-weight: 600; white-space: nowrap; }
td { overflow-wrap: anywhere; }

@media (max-width: 40rem) {
  .search { flex-basis: 100%; order: 3; }
  .search input { max-width: none; }
  details { margin-left: auto; }
  .mails a { grid-template-columns: minmax(0, 1fr) auto; }
  .to, .subject { grid-column: 1 / -1; white-space: normal; overflow-wrap: anywhere; }
  .mail { padding: 1rem; }
  th, td { display: block; padding: .1rem 0; border: 0; }
  tr { display: block; padding: .4rem 0; border-bottom: 1px solid var(--line); }
}
`
