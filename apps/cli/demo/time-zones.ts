const zones = {
  'America/New_York':
    'Connecticut, Delaware, District of Columbia, Florida, Georgia, Kentucky, Maine, Maryland, Massachusetts, New Hampshire, New Jersey, New York, North Carolina, Ohio, Pennsylvania, Rhode Island, South Carolina, Vermont, Virginia, West Virginia',
  'America/Detroit': 'Michigan',
  'America/Indiana/Indianapolis': 'Indiana',
  'America/Chicago':
    'Alabama, Arkansas, Illinois, Iowa, Kansas, Louisiana, Minnesota, Mississippi, Missouri, Nebraska, North Dakota, Oklahoma, South Dakota, Tennessee, Texas, Wisconsin',
  'America/Denver': 'Colorado, Montana, New Mexico, Utah, Wyoming',
  'America/Boise': 'Idaho',
  'America/Phoenix': 'Arizona',
  'America/Los_Angeles': 'California, Nevada, Oregon, Washington',
  'America/Anchorage': 'Alaska',
  'Pacific/Honolulu': 'Hawaii',
};

/** State → the time zone of most people there. */
export const timeZones: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(zones).flatMap(([zone, states]) => states.split(', ').map((state) => [state, zone])),
);
