import { registerEnumType } from 'type-graphql';

export enum SearchMode {
  SEMANTIC = 'semantic',
}
registerEnumType(SearchMode, {
  name: 'SearchMode',
  description: 'How results were ranked.',
  valuesConfig: { SEMANTIC: { description: 'By meaning, and a little by the words that they share with the query.' } },
});
