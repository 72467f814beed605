/**
 * Hides the buttons of the board that mean nothing here. Its jobs are pictures of park records: they cannot be added,
 * copied, edited or moved, and a queue cannot be emptied or given another pace. The board knows no option for that, and
 * the names of its classes end in hashes; so buttons are told by their places.
 *
 * - Of a job, the last button is Remove, and of four or more the first is what its status is for: Retry or Promote.
 * - The menu of a queue begins with Add job and ends with Set concurrency, Set rate limit, Empty and Obliterate.
 */
const unwanted = [
  '[class^="jobActions-"] > li:not(:first-child):not(:last-child)',
  '[class^="jobActions-"] > li:first-child:nth-last-child(-n+3):not(:last-child)',
  '[role="menu"]:has([class*="danger-"]) [role="menuitem"]:first-child',
  '[role="menu"]:has([class*="danger-"]) [role="menuitem"]:nth-last-child(-n+4)',
].join(',')

/** The page of the board without what it would load from elsewhere, and without buttons that would be refused. */
export function trimmed(html: string): string {
  return html
    .replace(/<link [^>]*href="https?:\/\/[^>]*>/g, '')
    .replace('</head>', `<style>${unwanted}{display:none!important}</style></head>`)
}
