# What a Request Tracker 5 is given for a demonstration: whom it knows, a field for the type of a ticket, and the scrip
# that pushes what happens to tickets, signed as Standard Webhooks says. From the environment, when it is inserted:
# DESK_EMILY_PASSWORD, and DESK_TOKEN_FILE, into which the token of our account is written. From the environment of the
# server: DESK_WEBHOOK_URL and DESK_WEBHOOK_SECRET.
use strict;
use warnings;
use RT::AuthToken;

# TransactionBatch, and not TransactionCreate, for only then a new ticket has its fields; in the order of their numbers.
my $push = <<'CODE';
require LWP::UserAgent; require Digest::SHA; require MIME::Base64; require JSON;
my $url = $ENV{DESK_WEBHOOK_URL} or return 1;
my $secret = $ENV{DESK_WEBHOOK_SECRET} or return 1;
my $ticket = $self->TicketObj;
my %names = ( Create => 'ticket.created', Correspond => 'ticket.replied', Comment => 'ticket.commented',
    Status => 'ticket.status_changed' );
my %fields;
my $fields = $ticket->QueueObj->TicketCustomFields;
while ( my $field = $fields->Next ) { $fields{ $field->Name } = $ticket->FirstCustomFieldValue( $field->Name ) }
for my $what ( sort { $a->id <=> $b->id } grep { $names{ $_->Type } } @{ $ticket->TransactionBatch || [] } ) {
    my $text = $what->Type eq 'Status' ? '' : ( eval { $what->Content( Type => 'text/plain' ) } // '' );
    my $body = JSON->new->utf8->canonical->encode( {
        type => $names{ $what->Type },
        timestamp => $what->CreatedObj->W3CDTF( Timezone => 'UTC' ),
        data => {
            transaction_id => $what->id + 0, actor => $what->CreatorObj->Name, content => $text,
            old_value => $what->OldValue, new_value => $what->NewValue,
            ticket => {
                id => $ticket->id + 0, url => RT->Config->Get('WebURL') . 'Ticket/Display.html?id=' . $ticket->id,
                queue => $ticket->QueueObj->Name, status => $ticket->Status, subject => $ticket->Subject,
                priority => $ticket->Priority + 0, owner => $ticket->OwnerObj->Name,
                requestors => [ split /,\s*/, $ticket->RequestorAddresses ],
                created => $ticket->CreatedObj->W3CDTF( Timezone => 'UTC' ),
                last_updated => $ticket->LastUpdatedObj->W3CDTF( Timezone => 'UTC' ), custom_fields => \%fields,
            },
        },
    } );
    ( my $id = 'rt-' . RT->Config->Get('rtname') . '-txn-' . $what->id ) =~ s/\./_/g;
    my $time = time;
    ( my $key = $secret ) =~ s/^whsec_//;
    my $proof = MIME::Base64::encode_base64(
        Digest::SHA::hmac_sha256( "$id.$time.$body", MIME::Base64::decode_base64($key) ), '' );
    my $answer = LWP::UserAgent->new( timeout => 3 )->post( $url, 'Content-Type' => 'application/json',
        'webhook-id' => $id, 'webhook-timestamp' => $time, 'webhook-signature' => "v1,$proof", Content => $body );
    RT->Logger->error( "push $id to $url: " . $answer->status_line ) unless $answer->is_success;
}
1;
CODE

our @Queues = ( { Name => 'Feedback', Description => 'Feedback and complaints' } );
our @CustomFields = ( {
    Name => 'Ticket Type', Type => 'SelectSingle', LookupType => 'RT::Queue-RT::Ticket', ApplyTo => 0,
    Values => [ map { { Name => $_ } } 'Incident', 'Service Request', 'Feedback', 'Complaint', 'Change Request' ],
} );
our @Users = (
    { Name => 'engage-bot', EmailAddress => 'engage-bot@example.com', Privileged => 1 },
    { Name => 'emily', EmailAddress => 'emily@fleet.example', Privileged => 0, Password => $ENV{DESK_EMILY_PASSWORD} },
);
our @ACL = (
    ( map { { UserId => 'engage-bot', Right => $_ } }
        qw(SeeQueue ShowTicket ShowTicketComments CreateTicket ReplyToTicket CommentOnTicket ModifyTicket SeeCustomField
        ModifyCustomField) ),
    ( map { { GroupDomain => 'SystemInternal', GroupType => 'Unprivileged', Right => $_ } }
        qw(SeeQueue CreateTicket SeeCustomField SetInitialCustomField) ),
    ( map { { GroupDomain => 'RT::System-Role', GroupType => 'Requestor', Right => $_ } } qw(ShowTicket ReplyToTicket) ),
);
our @Scrips = ( {
    Description => 'Push what happens to tickets', Queue => 0, Template => 'Blank', Stage => 'TransactionBatch',
    ScripCondition => 'User Defined', ScripAction => 'User Defined',
    CustomIsApplicableCode => 'return 1;', CustomPrepareCode => 'return 1;', CustomCommitCode => $push,
} );
our @Final = (
    sub {
        my $bot = RT::User->new( RT->SystemUser );
        $bot->Load('engage-bot');
        my ( undef, $said, $token ) =
            RT::AuthToken->new( RT->SystemUser )->Create( Owner => $bot->Id, Description => 'Engage' );
        die "no token: $said" unless $token;
        open my $file, '>', $ENV{DESK_TOKEN_FILE} or die "$ENV{DESK_TOKEN_FILE}: $!";
        print $file $token;
        close $file or die "$ENV{DESK_TOKEN_FILE}: $!";
    },
);
1;
