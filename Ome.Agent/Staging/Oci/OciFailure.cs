using System.Globalization;
using System.Net;

namespace Ome.Agent.Staging.Oci;

/// <summary>What a refusal of an OCI service means, from its status and its error code; never from its text, which may repeat a request.</summary>
internal static class OciFailure
{
    public static StagingFailure From(HttpStatusCode status, string? code, string who, TimeSpan? retryAfter) => (status, code) switch
    {
        (HttpStatusCode.Unauthorized, _) => new(StagingFailureReason.Unauthorized, $"{who} does not accept the credentials (401): check parameters.auth, the key and the node's clock"),
        (HttpStatusCode.Forbidden, _) => new(StagingFailureReason.Unauthorized, $"{who} refuses access (403): the policy must allow reading the objects and listing the bucket"),
        (HttpStatusCode.NotFound, "ObjectNotFound") => new(StagingFailureReason.NotFound, $"{who} no longer has this object"),
        (HttpStatusCode.NotFound, "NamespaceNotFound") => new(StagingFailureReason.NotFound, $"{who} has no such namespace: check spec.storage.storageUri"),
        // The service says so both for what is not there and for what one may not see.
        (HttpStatusCode.NotFound, _) => new(StagingFailureReason.NotFound, $"{who} has no such bucket, or the credentials may not see it (404): check spec.storage.storageUri and the policy"),
        (HttpStatusCode.TooManyRequests, _) => new(StagingFailureReason.RateLimited, $"{who} asks for fewer requests (429)", retryAfter),
        (HttpStatusCode.PreconditionFailed or HttpStatusCode.RequestedRangeNotSatisfiable, _) => new(
            StagingFailureReason.SourceChanged, $"the object is no longer what was listed ({Text(status)})"),
        (HttpStatusCode.BadRequest, _) => new(StagingFailureReason.Refused, $"{who} does not understand the request (400): check the namespace, bucket and region in spec.storage"),
        _ => new(StagingFailureReason.SourceUnavailable, $"{who} answers {Text(status)}", retryAfter),
    };

    private static string Text(HttpStatusCode status) => ((int)status).ToString(CultureInfo.InvariantCulture);
}
