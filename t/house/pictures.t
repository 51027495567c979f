# SPDX-License-Identifier: Apache-2.0
# The pictures of docs/design.md show what the code does: every transition of a
# payment's state machine, and the rooms in their order. The map of the tree in
# docs/contributing.md has every folder of src and t.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use X402::House;

use constant { PAGE => 'docs/design.md', MAP => 'docs/contributing.md', MACHINE => 'src/session/payment_session.cpp' };

# "from -> to: events" of the code. Each state has a function step_<state>().
sub of_code ($house) {
    my %events;
    for my $function ($house->functions(MACHINE)) {
        my ($from) = $function->{name} =~ /\bstep_(\w+)\z/ or next;
        my @cases;
        while ($function->{body} =~ /case\s+PaymentEvent::(\w+):|return\s*\{\s*PaymentState::(\w+)/g) {
            if (defined $1) { push @cases, $1 }
            else {
                push $events{"$from -> $2"}->@*, splice @cases;
            }
        }
    }
    return map { "$_: " . join ', ', sort $events{$_}->@* } sort keys %events;
}

# The same of the picture; where it begins and ends is not in the code.
sub of_picture ($house) {
    my ($picture) = $house->text(PAGE) =~ /^```mermaid\nstateDiagram-v2\n(.*?)^```/ms;
    my %events;
    while (($picture // '') =~ /^\s*(\w+) --> (\w+) : (.*)$/mg) { push $events{"$1 -> $2"}->@*, split /,\s*/, $3 }
    return map { "$_: " . join ', ', sort $events{$_}->@* } sort keys %events;
}

sub states ($house) {
    my %code = map { $_ => 1 } of_code($house);
    my %picture = map { $_ => 1 } of_picture($house);
    return (map {PAGE . ": the code has also $_"} grep { !$picture{$_} } sort keys %code),
        map {PAGE . ": the code has not $_"} grep { !$code{$_} } sort keys %picture;
}

# "a --> b --> c", from left to right for the rooms, from above for those of src/nginx.
sub order ($house) {
    my ($across) = $house->text(PAGE) =~ /^```mermaid\nflowchart LR\n(.*?)^```/ms;
    my ($down)   = $house->text(PAGE) =~ /^```mermaid\nflowchart TD\n(\s*\w+\["conf:.*?)^```/ms;
    my @across = ($across // '') =~ /^\s*(\w+(?: --> \w+)+)\s*$/m ? split / --> /, $1 : ();
    my %name = ($down // '') =~ /^\s*(\w+)\["(\w+):/mg;
    my @down = ($down // '') =~ /^\s*(\w+(?: --> \w+)+)\s*$/m ? map { $name{$_} // '?' } split / --> /, $1 : ();
    my ($rooms, $inner) = (join(' ', X402::House::ROOMS), join(' ', reverse X402::House::NGINX_ROOMS));
    return (("@across" eq $rooms ? () : PAGE . ": the rooms are $rooms, the picture has @across"),
        "@down" eq $inner ? () : PAGE . ": the rooms of src/nginx are $inner, the picture has @down");
}

# A folder of src and t, or a room of src/nginx: a line of the map that begins with it.
sub folders ($house) {
    my %there = map { m{\A((?:src|t)/[^/]+)/} ? ("$1/" => 1) : () } $house->tracked;
    $there{"$_/"} = 1 for X402::House::NGINX_ROOMS;
    my ($map) = $house->text(MAP) =~ /^## A map of the tree\n(.*?)^##/ms;
    return map { MAP . ": the map has no line for $_" } grep { ($map // '') !~ /^ *\Q$_\E /m } sort keys %there;
}

my $house = X402::House->new;
cmp_ok scalar(my @all = of_code($house)), '>', 20, 'the transitions were found';
holds 'the picture of the states is the code', \&states, $house;
holds 'the pictures of the rooms have their order', \&order, $house;

holds 'the map of the tree has every folder', \&folders, $house;

sub page ($from, $to) { return $house->changed(PAGE, $from, $to) }

catches 'a transition that is gone', \&states, page(qr/^ +holding --> settling[^\n]*\n/m, '');
catches 'one too many', \&states, page(qr/^( +)holding --> settling/m, "    closed --> paid : settle_paid\n    holding --> settling");
catches 'an event too few', \&states, page(qr/verify_final, /, '');
catches 'another event in the code', \&states,
    $house->changed(MACHINE, qr/case PaymentEvent::settle_due:/, 'case PaymentEvent::body_sent:');
catches 'rooms in another order', \&order, page(qr/base --> protocol/, 'protocol --> base');
catches 'rooms of nginx in another order', \&order, page(qr/\["worker:/, '["workers:');
catches 'a folder that the map lacks', \&folders, $house->with('t/planted/a.t' => "1;\n");
catches 'a room that the map lacks', \&folders, $house->changed(MAP, qr/^ +worker\/[^\n]*\n/m, '');

done_testing;
