/** Style of the reference page; served beside it, because its policy allows nothing inline. */
export const referenceStyle = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; --line: #8884; --soft: #8881; }
body { margin: 0; display: grid; grid-template-columns: minmax(14rem, 20rem) minmax(0, 1fr); }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 1rem 1.25rem; border-right: 1px solid var(--line); box-sizing: border-box; }
nav ul { list-style: none; padding: 0; margin: 0; font-size: .9rem; }
nav a { text-decoration: none; overflow-wrap: anywhere; }
main { padding: 1rem 2rem 4rem; max-width: 60rem; box-sizing: border-box; width: 100%; }
section { border-top: 1px solid var(--line); padding: .5rem 0 1rem; }
h1 small { font-weight: normal; font-size: 1rem; opacity: .7; }
.method { font-size: .8rem; padding: .15rem .5rem; border-radius: .3rem; background: #555; color: #fff; }
.get { background: #1a6b3c; } .post { background: #1f5fa8; } .patch, .put { background: #8a5a00; } .delete { background: #a3262a; }
pre { background: var(--soft); padding: .75rem; overflow: auto; border-radius: .3rem; font-size: .85rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; border-bottom: 1px solid var(--line); padding: .3rem .6rem .3rem 0; vertical-align: top; }
dt { font-weight: bold; float: left; width: 4rem; } dd { margin: 0 0 .5rem 4rem; }
@media (max-width: 50rem) { body { display: block; } nav { position: static; height: auto; border-right: 0; } main { padding: 1rem; } }
`
