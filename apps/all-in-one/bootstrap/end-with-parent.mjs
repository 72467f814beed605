// Preloaded (--import) into the tools that bootstrap.mjs starts: ends them, with all that they started in their
// process group, when bootstrap.mjs is gone.
import { watchParent } from './watch-parent.mjs'

const parent = Number(process.env.MILLRACE_PARENT_PID)
// Only the tool itself watches: its own children get the same preload and environment.
delete process.env.MILLRACE_PARENT_PID
if (parent > 0) {
  watchParent(parent, () => {
    setTimeout(() => process.kill(-process.pid, 'SIGKILL'), 5_000)
    process.kill(-process.pid, 'SIGTERM')
  })
}
