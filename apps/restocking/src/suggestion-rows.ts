import type { Suggestion, SuggestionFacts, SuggestionStatus } from './suggestion.ts'

/** A suggestion as {@link foundSql} finds it. */
export interface FoundRow {
  readonly id: string
  readonly status: SuggestionStatus
  readonly was: SuggestionFacts
  readonly reason: string | null
  readonly snoozed_until: Date | null
}

/**
 * All suggestions, whatever has become of them, as `found`: what is said now and undecided, what was decided (as it was
 * then), and what was withdrawn before anybody decided. A snooze ends by itself.
 */
export function foundSql(view: string): string {
  return `
    WITH found AS (
      SELECT suggestion_id AS id, 'open' AS status, json_build_object(
          'id', suggestion_id, 'order', order_id, 'line', line, 'product', product, 'productName', product_name,
          'supplier', supplier, 'quantity', quantity, 'dueOn', due_on, 'lineVersion', line_version, 'kind', kind,
          'proposedDueOn', proposed_due_on, 'numbers', numbers, 'reason', verdict.reason)::jsonb AS was,
        NULL::text AS reason, NULL::timestamptz AS snoozed_until
      FROM ${view}.verdict
      WHERE suggestion_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM decision WHERE decision.suggestion_id = verdict.suggestion_id)
        AND NOT EXISTS (SELECT FROM handled WHERE handled.suggestion_id = verdict.suggestion_id)
      UNION ALL
      SELECT suggestion_id,
        CASE WHEN status <> 'snoozed' THEN status
          WHEN NOT EXISTS (SELECT FROM ${view}.verdict WHERE verdict.suggestion_id = decision.suggestion_id)
            THEN 'withdrawn'
          WHEN snoozed_until > now() THEN 'snoozed' ELSE 'open' END,
        was, reason, snoozed_until
      FROM decision
      UNION ALL
      SELECT suggestion_id, 'withdrawn', was, withdrawn.reason, NULL
      FROM ${view}.withdrawn
      WHERE NOT EXISTS (SELECT FROM decision WHERE decision.suggestion_id = withdrawn.suggestion_id)
    )`
}

export function suggestionOf({ was, status, reason, snoozed_until: until }: FoundRow): Suggestion {
  // SQL's null is what was left out.
  const { proposedDueOn, ...facts } = was
  return {
    ...facts,
    ...(proposedDueOn ? { proposedDueOn } : {}),
    status,
    ...(reason === null ? {} : { statusReason: reason }),
    ...(status === 'snoozed' && until ? { snoozedUntil: until.toISOString() } : {}),
  }
}
