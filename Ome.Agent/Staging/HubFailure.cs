using System.Globalization;
using System.Net;

namespace Ome.Agent.Staging;

/// <summary>What a hub's refusal means, from its status and its <c>X-Error-Code</c>; never from its text.</summary>
internal static class HubFailure
{
    public static StagingFailure From(HttpResponseMessage response, bool hadToken)
    {
        var code = response.Headers.TryGetValues("X-Error-Code", out var codes) ? codes.FirstOrDefault() : null;
        var status = ((int)response.StatusCode).ToString(CultureInfo.InvariantCulture);
        return (response.StatusCode, code) switch
        {
            (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden, "GatedRepo") => new(
                StagingFailureReason.Gated,
                hadToken ? "the repository is gated and the token's owner was not granted access: ask for it on the hub" : "the repository is gated: name a Secret with a token in spec.storage.key"),
            (HttpStatusCode.Unauthorized, _) => new(
                StagingFailureReason.Unauthorized,
                hadToken ? "the hub refuses the token (401): renew it" : "it does not exist or is private (401): check spec.storage.storageUri, or name a Secret with a token in spec.storage.key"),
            (HttpStatusCode.Forbidden, _) => new(StagingFailureReason.Unauthorized, "the token may not read it (403)"),
            (HttpStatusCode.NotFound, "RevisionNotFound") => new(StagingFailureReason.NotFound, "the hub has no such revision: check what follows '@' in spec.storage.storageUri"),
            (HttpStatusCode.NotFound, "EntryNotFound") => new(StagingFailureReason.NotFound, "the hub no longer has this file"),
            (HttpStatusCode.NotFound or HttpStatusCode.Gone, _) => new(StagingFailureReason.NotFound, $"the hub has no such repository ({status}): check spec.storage.storageUri"),
            (HttpStatusCode.TooManyRequests, _) => new(StagingFailureReason.RateLimited, "the hub asks for fewer requests (429)", SourceHttp.RetryAfter(response)),
            (HttpStatusCode.RequestedRangeNotSatisfiable or HttpStatusCode.PreconditionFailed, _) => new(
                StagingFailureReason.SourceChanged, $"the file is no longer what was listed ({status})"),
            _ => new(StagingFailureReason.SourceUnavailable, $"the hub answers {status}", SourceHttp.RetryAfter(response)),
        };
    }
}
