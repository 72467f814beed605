import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import { edited } from './edited.ts'
import { type PlantedBug, planted } from './planted-bugs.ts'

/** The name under which a module and all that it imports is loaded once more, with a bug. */
const mark = 'planted'

let hooked = false

/**
 * Loads a module together with everything of this project that it imports, a second time and with a bug planted in
 * the sources on their way from the disk: nothing of it is in the product, so nothing can switch it on there.
 *
 * @param url Of the module.
 */
export async function loadPlanted<T>(url: URL, bug: PlantedBug): Promise<T> {
  if (!hooked) hook()
  hooked = true
  const marked = new URL(url)
  marked.searchParams.set(mark, bug)
  return (await import(marked.href)) as T
}

function hook(): void {
  registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context)
      const bug = context.parentURL === undefined ? null : new URL(context.parentURL).searchParams.get(mark)
      if (bug === null || !resolved.url.startsWith('file:') || resolved.url.includes('/node_modules/'))
        return resolved
      const url = new URL(resolved.url)
      url.searchParams.set(mark, bug)
      return { ...resolved, url: url.href }
    },
    load(url, context, next) {
      const loaded = next(url, context)
      const bug = url.startsWith('file:') ? new URL(url).searchParams.get(mark) : null
      if (bug === null || loaded.source === undefined || loaded.source === null) return loaded
      const path = fileURLToPath(url)
      let source =
        typeof loaded.source === 'string'
          ? loaded.source
          : Buffer.from(loaded.source as Uint8Array).toString()
      for (const edit of planted[bug as PlantedBug].edits)
        if (path.endsWith(edit.file)) source = edited(source, edit)
      return { ...loaded, source }
    },
  })
}
