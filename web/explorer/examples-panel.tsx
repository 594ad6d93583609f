import { type GraphiQLPlugin, pick, useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { EXAMPLES, type Example } from './examples';

function ExamplesIcon() {
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinejoin="round"
    >
      <path d="M4 5.5h16M4 12h10M4 18.5h7M17 13.5l4 3-4 3z" strokeLinecap="round" />
    </svg>
  );
}

function ExamplesPanel() {
  const { addTab, changeTab, setVisiblePlugin } = useGraphiQLActions();
  const { tabs, queryEditor, variableEditor } = useGraphiQL(pick('tabs', 'queryEditor', 'variableEditor'));

  const open = ({ query, variables }: Example) => {
    // In a narrow window this panel lies over the editors.
    if (window.matchMedia('(max-width: 760px)').matches) setVisiblePlugin(null);
    const existing = tabs.findIndex((tab) => tab.query === query);
    if (existing !== -1) return changeTab(existing);
    addTab();
    queryEditor?.setValue(query);
    variableEditor?.setValue(variables ? JSON.stringify(variables, null, 2) : '');
  };

  return (
    <section className="examples" aria-label="Examples">
      <h2>Examples</h2>
      <ul>
        {EXAMPLES.map((example) => (
          <li key={example.title}>
            <button type="button" onClick={() => open(example)}>
              <span className="example-title">
                {example.title}
                {example.needsKey && <span className="needs-key">needs a key</span>}
              </span>
              <span className="example-about">{example.about}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

export const EXAMPLES_PLUGIN: GraphiQLPlugin = { title: 'Examples', icon: ExamplesIcon, content: ExamplesPanel };
