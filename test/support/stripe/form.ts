/** Stripe's request encoding: a[b][0]=c. */
export interface Form {
  [name: string]: string | Form | undefined;
}

export function parseForm(text: string): Form {
  const form: Form = Object.create(null);
  for (const [key, value] of new URLSearchParams(text)) {
    const [head = '', ...rest] = key.replaceAll(']', '').split('[');
    let at = form;
    let name = head;
    for (const next of rest) {
      const inner = at[name];
      const child: Form = typeof inner === 'object' ? inner : Object.create(null);
      at[name] = child;
      at = child;
      name = next;
    }
    at[name] = value;
  }
  return form;
}

export function formOf(form: Form, name: string): Form {
  const value = form[name];
  return typeof value === 'object' ? value : {};
}

export function textOf(form: Form, name: string): string | undefined {
  const value = form[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function textsOf(form: Form): Record<string, string> {
  return Object.fromEntries(
    Object.entries(form).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
