# What Mail::DMARC takes from the policy of a domain: reads a domain a line, answers with a line of
# JSON, null for no policy. The one argument is the port of the name server on loopback.
use strict;
use warnings;

use JSON::PP;
use Mail::DMARC::PurePerl;
use Mail::DMARC::Report::URI;
use Net::DNS::Resolver;

$| = 1;
local $SIG{__WARN__} = sub { };    # it asks to post each record it stumbles over
my $json     = JSON::PP->new->canonical->ascii;
my $resolver = Net::DNS::Resolver->new(
    nameservers => ['127.0.0.1'],
    port        => shift,
    dnsrch      => 0,
    udp_timeout => 5,
    tcp_timeout => 5,
);

sub addresses {
    my $list = shift or return [];
    my $uris = eval { Mail::DMARC::Report::URI->new->parse($list) } || [];
    return [ map { $_->{uri}->as_string } @$uris ];
}

while ( my $domain = <STDIN> ) {
    chomp $domain;
    my $dmarc = Mail::DMARC::PurePerl->new;
    $dmarc->set_resolver($resolver);
    my $policy = eval { $dmarc->discover_policy($domain) };
    my $told   = $policy && {
        ( map { $_ => $policy->$_ } qw(p sp adkim aspf fo pct) ),
        ( map { $_ => addresses( $policy->$_ ) } qw(rua ruf) ),
    };
    print $json->encode($told), "\n";
}
