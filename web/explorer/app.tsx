import { HISTORY_PLUGIN } from '@graphiql/plugin-history';
import { GraphiQL } from 'graphiql';
import { useMemo } from 'react';
import { Header } from '../shared/header';
import { useApiKey } from '../shared/use-api-key';
import { useTheme } from '../shared/use-theme';
import { EDITOR_THEMES } from './editor-theme-names';
import { EXAMPLES } from './examples';
import { EXAMPLES_PLUGIN } from './examples-panel';
import { createFetcher } from './fetcher';

const PLUGINS = [EXAMPLES_PLUGIN, HISTORY_PLUGIN];
const FIRST_TABS = EXAMPLES.filter((example) => example.tab).map(({ query, variables }) => ({
  query,
  variables: variables ? JSON.stringify(variables, null, 2) : null,
}));
const WIDE = window.matchMedia('(min-width: 1100px)').matches;

export function App() {
  const apiKey = useApiKey();
  const choice = useTheme();
  // A new fetcher makes GraphiQL read the schema again, which may differ for the new key.
  const fetcher = useMemo(() => createFetcher(apiKey.key), [apiKey.key]);

  return (
    <div className="page">
      <Header here="/graphql" apiKey={apiKey} choice={choice} />
      <main>
        <GraphiQL
          fetcher={fetcher}
          defaultTabs={FIRST_TABS}
          plugins={PLUGINS}
          visiblePlugin={WIDE ? EXAMPLES_PLUGIN : undefined}
          editorTheme={EDITOR_THEMES}
          forcedTheme={choice.dark ? 'dark' : 'light'}
          // Its history keeps what is typed there, keys too, for as long as the browser does.
          isHeadersEditorEnabled={false}
          showPersistHeadersSettings={false}
          inputValueDeprecation
          schemaDescription
        >
          <GraphiQL.Logo>{null}</GraphiQL.Logo>
        </GraphiQL>
      </main>
    </div>
  );
}
