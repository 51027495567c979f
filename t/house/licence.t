# SPDX-License-Identifier: Apache-2.0
# Every source file names its licence; t/lib/spdx --fix adds the line.

use v5.36;
use FindBin;
use Test::More;

my $top = "$FindBin::Bin/../..";
chdir $top or die $!;
plan skip_all => 'not a clone' if system('git rev-parse --git-dir >/dev/null 2>&1');

is `t/lib/spdx`, '', 'every source file has its licence line (t/lib/spdx --fix adds it)';

# And it is seen where it is missing.
open my $file, '<', 't/house/licence.t' or die $!;
my $own = do { local $/; <$file> };
like $own, qr/\A# SPDX-License-Identifier: Apache-2\.0\n/, 'this one has it';

done_testing;
