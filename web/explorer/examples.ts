/**
 * The operations that the explorer offers. Those marked `tab` are open when a reader comes for the first time.
 * An operation's name is the title of its tab.
 */

export interface Example {
  title: string;
  about: string;
  query: string;
  variables?: Record<string, unknown>;
  /** Says so beside the example; the server alone decides who may do what. */
  needsKey?: boolean;
  tab?: boolean;
}

export const EXAMPLES: Example[] = [
  {
    title: 'Is anyone there?',
    about: 'The smallest query there is. It works without a key.',
    tab: true,
    query: `# Run me: Ctrl-Enter.
query Hello {
  __typename
}
`,
  },
  {
    title: 'What does an account get?',
    about: 'The tiers that there are. Anyone may ask.',
    tab: true,
    query: `query Tiers {
  tiers {
    slug
    monthlyRefillUsd
  }
}
`,
  },
  {
    title: 'Who am I?',
    about: 'The account that the API key belongs to.',
    needsKey: true,
    tab: true,
    query: `# Needs an API key.
query Me {
  me {
    id
    handle
  }
}
`,
  },
  {
    title: 'Across the subgraphs',
    about: 'One query that accounts, billing, images and the registry answer together.',
    needsKey: true,
    query: `# Needs an API key.
query Everything {
  me {
    email
    handle
    tier {
      slug
      monthlyRefillUsd
    }
    images(first: 5) {
      nodes {
        url
        owner {
          handle
        }
      }
    }
    generators(first: 5) {
      nodes {
        name
        version {
          model
        }
      }
    }
    usage {
      availableUsd
    }
  }
}
`,
  },
  {
    title: 'Draw a picture',
    about:
      'By a tier, which needs nothing deployed. The picture is hosted and yours alone; without a key it is public for a day.',
    query: `mutation Draw($input: RunImageGeneratorInput!) {
  runImageGenerator(input: $input) {
    run {
      status
      imageUrl
      width
      height
      costUsd
      errorMessage
    }
  }
}
`,
    variables: { input: { generator: 'system:image-standard', prompt: 'A calm mountain lake at dawn' } },
  },
  {
    title: 'Draw in the background',
    about: 'A job: queued, drawn by a worker, kept for a month. Have “Watch your jobs” running in another tab.',
    query: `mutation DrawLater($input: CreateJobInput!) {
  createJob(input: $input) {
    job {
      id
      state
    }
  }
}
`,
    variables: { input: { prompt: 'A lighthouse in fog', qualityTier: 'DRAFT' } },
  },
  {
    title: 'Watch your jobs',
    about:
      'A subscription: what is under way at once, then each change as it happens. Without a key, the jobs of your network.',
    query: `subscription WatchJobs {
  jobsUpdated {
    at
    job {
      id
      state
      assetUrl
    }
  }
}
`,
  },
  {
    title: 'Claim a handle',
    about: 'A mutation with its input in the variables.',
    needsKey: true,
    query: `mutation Claim($input: ClaimHandleInput!) {
  claimHandle(input: $input) {
    handle
    claimedAt
  }
}
`,
    variables: { input: { handle: 'yourhandle' } },
  },
];
