//! Parts of packets made of arbitrary bytes. Each keeps the rule of its type; whether the whole keeps the standard's is
//! for the encoder to say.

use arbitrary::{Result, Unstructured};
use mqtt_core::{
    Delivery, KeepAlive, MaximumPacketSize, PacketId, PayloadFormat, Property, PropertyHolder,
    PropertyId, QoS, ReasonCode, ReceiveMaximum, RetainHandling, SessionExpiry, SubscribeOptions,
    SubscriptionId, TopicAlias, TopicFilter, TopicName, Utf8,
};

pub(crate) fn text<'a>(input: &mut Unstructured<'a>) -> Result<Utf8<'a>> {
    let text: &str = input.arbitrary()?;
    Ok(Utf8::new(text)
        .or_else(|_| Utf8::new("text"))
        .expect("it has no null character"))
}

pub(crate) fn topic_name<'a>(input: &mut Unstructured<'a>) -> Result<TopicName<'a>> {
    let text: &str = input.arbitrary()?;
    Ok(TopicName::new(text)
        .or_else(|_| TopicName::new("a/b"))
        .expect("it has no wildcard"))
}

pub(crate) fn topic_filter<'a>(input: &mut Unstructured<'a>) -> Result<TopicFilter<'a>> {
    let known = [
        "a/b",
        "a/+",
        "#",
        "$share/g/a",
        "$share/g/#",
        "$share//a",
        "$share/g",
    ];
    let text: &str = input.arbitrary()?;
    let other = input.choose(&known)?;
    Ok(TopicFilter::new(text)
        .or_else(|_| TopicFilter::new(other))
        .expect("the known ones are filters"))
}

pub(crate) fn qos(input: &mut Unstructured<'_>) -> Result<QoS> {
    let all = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];
    Ok(*input.choose(&all)?)
}

pub(crate) fn packet_id(input: &mut Unstructured<'_>) -> Result<PacketId> {
    let number = input.int_in_range(1..=u16::MAX)?;
    Ok(PacketId::new(number).expect("it is not zero"))
}

pub(crate) fn delivery(input: &mut Unstructured<'_>) -> Result<Delivery> {
    Ok(match qos(input)? {
        QoS::AtMostOnce => Delivery::AtMostOnce,
        QoS::AtLeastOnce => Delivery::AtLeastOnce(packet_id(input)?),
        QoS::ExactlyOnce => Delivery::ExactlyOnce(packet_id(input)?),
    })
}

/// Success every other time, since most packets want it.
pub(crate) fn reason(input: &mut Unstructured<'_>) -> Result<ReasonCode> {
    Ok(match input.int_in_range(0..=3)? {
        0 | 1 => ReasonCode::SUCCESS,
        2 => *input.choose(ReasonCode::ALL)?,
        _ => ReasonCode::new(input.arbitrary()?),
    })
}

pub(crate) fn subscribe_options(input: &mut Unstructured<'_>) -> Result<SubscribeOptions> {
    let mut options = SubscribeOptions::from(qos(input)?);
    if input.ratio(1, 2)? {
        options.no_local = input.arbitrary()?;
        options.retain_as_published = input.arbitrary()?;
        let all = [
            RetainHandling::Send,
            RetainHandling::SendIfNew,
            RetainHandling::DontSend,
        ];
        options.retain_handling = *input.choose(&all)?;
    }
    Ok(options)
}

/// A few properties, nearly all of them such as `holder` may have.
pub(crate) fn properties<'a>(
    input: &mut Unstructured<'a>,
    holder: PropertyHolder,
) -> Result<Vec<Property<'a>>> {
    let allowed: Vec<_> = PropertyId::ALL
        .into_iter()
        .filter(|id| id.allowed_in(holder))
        .collect();
    let mut list = Vec::new();
    for _ in 0..input.int_in_range(0..=6)? {
        let id = if allowed.is_empty() || input.ratio(1, 32)? {
            *input.choose(&PropertyId::ALL)?
        } else {
            *input.choose(&allowed)?
        };
        list.push(property(input, id)?);
    }
    Ok(list)
}

fn property<'a>(input: &mut Unstructured<'a>, id: PropertyId) -> Result<Property<'a>> {
    use PropertyId as Id;
    Ok(match id {
        Id::PayloadFormatIndicator => Property::PayloadFormatIndicator(if input.arbitrary()? {
            PayloadFormat::Utf8
        } else {
            PayloadFormat::Unspecified
        }),
        Id::MessageExpiryInterval => Property::MessageExpiryInterval(input.arbitrary()?),
        Id::ContentType => Property::ContentType(text(input)?),
        Id::ResponseTopic => Property::ResponseTopic(topic_name(input)?),
        Id::CorrelationData => Property::CorrelationData(input.arbitrary()?),
        Id::SubscriptionIdentifier => Property::SubscriptionIdentifier(
            SubscriptionId::new(input.int_in_range(1..=268_435_455)?).expect("it is in range"),
        ),
        Id::SessionExpiryInterval => {
            Property::SessionExpiryInterval(SessionExpiry::from_secs(input.arbitrary()?))
        }
        Id::AssignedClientIdentifier => Property::AssignedClientIdentifier(text(input)?),
        Id::ServerKeepAlive => Property::ServerKeepAlive(KeepAlive::from_secs(input.arbitrary()?)),
        Id::AuthenticationMethod => Property::AuthenticationMethod(text(input)?),
        Id::AuthenticationData => Property::AuthenticationData(input.arbitrary()?),
        Id::RequestProblemInformation => Property::RequestProblemInformation(input.arbitrary()?),
        Id::WillDelayInterval => Property::WillDelayInterval(input.arbitrary()?),
        Id::RequestResponseInformation => Property::RequestResponseInformation(input.arbitrary()?),
        Id::ResponseInformation => Property::ResponseInformation(text(input)?),
        Id::ServerReference => Property::ServerReference(text(input)?),
        Id::ReasonString => Property::ReasonString(text(input)?),
        Id::ReceiveMaximum => Property::ReceiveMaximum(
            ReceiveMaximum::new(input.int_in_range(1..=u16::MAX)?).expect("it is not zero"),
        ),
        Id::TopicAliasMaximum => Property::TopicAliasMaximum(input.arbitrary()?),
        Id::TopicAlias => Property::TopicAlias(
            TopicAlias::new(input.int_in_range(1..=u16::MAX)?).expect("it is not zero"),
        ),
        Id::MaximumQoS => Property::MaximumQoS(qos(input)?),
        Id::RetainAvailable => Property::RetainAvailable(input.arbitrary()?),
        Id::UserProperty => Property::UserProperty(text(input)?, text(input)?),
        Id::MaximumPacketSize => Property::MaximumPacketSize(
            MaximumPacketSize::new(input.int_in_range(1..=u32::MAX)?).expect("it is not zero"),
        ),
        Id::WildcardSubscriptionAvailable => {
            Property::WildcardSubscriptionAvailable(input.arbitrary()?)
        }
        Id::SubscriptionIdentifierAvailable => {
            Property::SubscriptionIdentifierAvailable(input.arbitrary()?)
        }
        Id::SharedSubscriptionAvailable => {
            Property::SharedSubscriptionAvailable(input.arbitrary()?)
        }
    })
}
