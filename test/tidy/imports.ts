/**
 * Module specifiers that a source file imports or re-exports, statically or dynamically, types included.
 * A regular expression does: comments are cut off first, and a specifier in a string that merely looks like
 * an import would be a false alarm, never a miss.
 */
export function importedModules(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
  const pattern = /\b(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|\bimport\s*\(?\s*['"]([^'"]+)['"]/g
  const found = [...code.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? '')
  return [...new Set(found)]
}
