/**
 * Calls `gone` once when the parent process is no more: a parent that got SIGKILL can tell nobody.
 *
 * @param {number} parent its process id
 * @param {() => void} gone
 * @returns {() => void} ends the watch
 */
export function watchParent(parent, gone) {
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    gone()
  }, 250)
  timer.unref()
  return () => clearInterval(timer)
}
