/**
 * Whether node_modules (as npm's own note of it says, node_modules/.package-lock.json) holds what the lock file pins
 * for this machine. The note is written last, so an install that was broken off never counts.
 *
 * @param {{ packages: Record<string, any> }} lock
 * @param {{ packages: Record<string, any> } | undefined} installed
 */
export function fulfils(lock, installed) {
  if (installed === undefined) return false
  return Object.entries(lock.packages).every(([place, wanted]) => {
    if (place === '') return true
    const found = installed.packages[place]
    if (found === undefined) return wanted.optional === true && !isForUs(wanted)
    return (
      found.version === wanted.version && found.integrity === wanted.integrity && found.link === wanted.link
    )
  })
}

/**
 * Packages for other platforms are in the lock file, but are not installed; neither is what only they need, which
 * names no platform itself.
 */
function isForUs(wanted) {
  if (wanted.os === undefined && wanted.cpu === undefined) return false
  return fits(wanted.os, process.platform) && fits(wanted.cpu, process.arch) && fits(wanted.libc, libc())
}

function fits(list, ours) {
  if (list === undefined || ours === undefined) return true
  const names = [list].flat()
  return names.some((name) => name.startsWith('!')) ? !names.includes(`!${ours}`) : names.includes(ours)
}

let knownLibc
function libc() {
  if (process.platform !== 'linux') return undefined
  process.report.excludeNetwork = true
  knownLibc ??= process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc'
  return knownLibc
}
