using System.Collections.Concurrent;
using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Ome.Shared.Domain.Models;

namespace Ome.Agent.Staging.S3;

/// <summary>S3 clients: one for each region and way of authenticating, kept, since each holds its own connections and renewed credentials.</summary>
internal sealed class S3Clients(S3Options options, ISecretReader secrets) : IDisposable
{
    private readonly ConcurrentDictionary<(string Region, string? AccessKey), (AmazonS3Client Client, Secret? Key)> _clients = new();

    /// <summary>The client of a model, or why there is none.</summary>
    public async Task<(IAmazonS3? Client, StagingFailure? Failure)> FindAsync(ModelSpec model, StorageUri.S3 uri, CancellationToken cancellationToken)
    {
        var region = model.Parameters.GetValueOrDefault("region") is { Length: > 0 } asked ? asked : uri.Region.Length > 0 ? uri.Region : options.Region;
        if (!region.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')) return (null, new StagingFailure(StagingFailureReason.Refused, "spec.storage names a region that is none: lower-case letters, digits and dashes, such as us-east-1"));
        if (string.IsNullOrEmpty(model.SecretName)) return (_clients.GetOrAdd((region, null), _ => (Create(region, null), null)).Client, null);
        var scope = model.Key.Kind == ModelKind.ClusterBaseModel ? options.AgentNamespace : model.Key.Namespace;
        var id = await secrets.ReadAsync(scope, model.SecretName, "accessKeyId", cancellationToken).ConfigureAwait(false);
        var key = await secrets.ReadAsync(scope, model.SecretName, "secretAccessKey", cancellationToken).ConfigureAwait(false);
        if (id is null || key is null) return (null, new StagingFailure(StagingFailureReason.Unauthorized, $"the Secret {scope}/{model.SecretName} (spec.storage.key) must hold accessKeyId and secretAccessKey"));
        var token = await secrets.ReadAsync(scope, model.SecretName, "sessionToken", cancellationToken).ConfigureAwait(false);
        var at = (region, id.Reveal());
        if (_clients.TryGetValue(at, out var known) && known.Key?.Reveal() == key.Reveal() + token?.Reveal()) return (known.Client, null);
        AWSCredentials credentials = token is null ? new BasicAWSCredentials(id.Reveal(), key.Reveal()) : new SessionAWSCredentials(id.Reveal(), key.Reveal(), token.Reveal());
        // A client whose Secret changed may still be reading; it is left to the collector.
        return ((_clients[at] = (Create(region, credentials), Secret.From(key.Reveal() + token?.Reveal()))).Client, null);
    }

    public void Dispose()
    {
        foreach (var (client, _) in _clients.Values) client.Dispose();
    }

    private AmazonS3Client Create(string region, AWSCredentials? credentials)
    {
        var config = new AmazonS3Config
        {
            MaxErrorRetry = options.Retries,
            RetryMode = RequestRetryMode.Standard,
            Timeout = options.AnswerTimeout,
            // Bodies are read in ranges and digested by us; the SDK's own checks are for whole objects.
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            LogResponse = false,
        };
        if (options.Endpoint is { } endpoint) (config.ServiceURL, config.ForcePathStyle, config.AuthenticationRegion) = (endpoint, true, region);
        else config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        return credentials is null ? new AmazonS3Client(config) : new AmazonS3Client(credentials, config);
    }
}
