using System.Globalization;
using System.Net;
using Amazon.Runtime;
using Amazon.Runtime.Internal;
using Amazon.S3;

namespace Ome.Agent.Staging.S3;

/// <summary>What an exception of the S3 SDK means, from its status and code; never from its text, which may repeat a request.</summary>
internal static class S3Failure
{
    /// <summary>True for what is trouble of the service, its address or the credentials, and so a value; everything else is a bug.</summary>
    public static bool IsExpected(Exception exception) => exception is AmazonServiceException or AmazonClientException or HttpRequestException or IOException or TimeoutException;

    public static StagingFailure From(Exception exception)
    {
        if (exception is not AmazonS3Exception { StatusCode: var status } refused || (int)status == 0)
        {
            return exception is AmazonClientException
                ? new(StagingFailureReason.Unauthorized, "no AWS credentials were found: name a Secret with accessKeyId and secretAccessKey in spec.storage.key, or give the agent a role")
                : new(StagingFailureReason.SourceUnavailable, "no answer from S3");
        }

        return (status, refused.ErrorCode) switch
        {
            (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden, _) => new(StagingFailureReason.Unauthorized, $"S3 refuses access ({Text(status)}): check the credentials and that they may list the bucket and read its objects"),
            (HttpStatusCode.NotFound, "NoSuchBucket") => new(StagingFailureReason.NotFound, "S3 has no such bucket: check spec.storage.storageUri"),
            (HttpStatusCode.NotFound, _) => new(StagingFailureReason.NotFound, "S3 no longer has this object"),
            (HttpStatusCode.PreconditionFailed or HttpStatusCode.RequestedRangeNotSatisfiable, _) => new(StagingFailureReason.SourceChanged, $"the object is no longer what was listed ({Text(status)})"),
            (HttpStatusCode.TooManyRequests, _) => new(StagingFailureReason.RateLimited, "S3 asks for fewer requests (429)", RetryAfter(refused)),
            (HttpStatusCode.Moved or HttpStatusCode.TemporaryRedirect, _) => new(StagingFailureReason.Refused, "the bucket lies in another region: set spec.storage.parameters.region"),
            (HttpStatusCode.BadRequest, _) => new(StagingFailureReason.Refused, "S3 does not understand the request (400): check the bucket and region in spec.storage"),
            _ => new(StagingFailureReason.SourceUnavailable, $"S3 answers {Text(status)}", RetryAfter(refused)),
        };
    }

    /// <summary>Seconds of the Retry-After header; null without one.</summary>
    public static TimeSpan? RetryAfter(Exception exception)
    {
        if (exception.InnerException is not HttpErrorResponseException { Response: { } response } || !response.IsHeaderPresent("Retry-After")) return null;
        return int.TryParse(response.GetHeaderValue("Retry-After"), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? TimeSpan.FromSeconds(seconds) : null;
    }

    private static string Text(HttpStatusCode status) => ((int)status).ToString(CultureInfo.InvariantCulture);
}
