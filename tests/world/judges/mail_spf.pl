# What Mail::SPF says of a sender: reads an address, a sender and a HELO name a line, answers with
# the result. The one argument is the port of the name server on loopback.
use strict;
use warnings;

use Mail::SPF;
use Net::DNS::Resolver;

$| = 1;
my $server = Mail::SPF::Server->new(
    hostname     => 'mx.example',
    dns_resolver => Net::DNS::Resolver->new(
        nameservers => ['127.0.0.1'],
        port        => shift,
        dnsrch      => 0,
        udp_timeout => 5,
        tcp_timeout => 5,
    ),
);

while ( my $line = <STDIN> ) {
    my ( $address, $sender, $helo ) = split ' ', $line;
    my $request = Mail::SPF::Request->new(
        versions      => [1],
        scope         => 'mfrom',
        identity      => $sender,
        ip_address    => $address,
        helo_identity => $helo,
    );
    print $server->process($request)->code, "\n";
}
