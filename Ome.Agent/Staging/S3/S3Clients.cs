using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Ome.Shared.Domain.Models;

namespace Ome.Agent.Staging.S3;

/// <summary>S3 clients: one for each region and way of authenticating, kept while they are used, since each holds its own renewed credentials.</summary>
internal sealed class S3Clients(S3Options options, ISecretReader secrets) : IDisposable
{
    /// <summary>Clients kept at most: a key that is rotated every hour must not add one for each.</summary>
    public const int Bound = 32;

    private readonly Lock _gate = new();
    private readonly Dictionary<(string Region, string? AccessKey), Kept> _clients = [];
    private long _uses;

    /// <summary>The client of a model, or why there is none.</summary>
    public async Task<(IAmazonS3? Client, StagingFailure? Failure)> FindAsync(ModelSpec model, StorageUri.S3 uri, CancellationToken cancellationToken)
    {
        var region = model.Parameters.GetValueOrDefault("region") is { Length: > 0 } asked ? asked : uri.Region.Length > 0 ? uri.Region : options.Region;
        if (!region.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')) return (null, new StagingFailure(StagingFailureReason.Refused, "spec.storage names a region that is none: lower-case letters, digits and dashes, such as us-east-1"));
        if (string.IsNullOrEmpty(model.SecretName)) return (Keep((region, null), null, static () => null), null);
        var scope = model.Key.Kind == ModelKind.ClusterBaseModel ? options.AgentNamespace : model.Key.Namespace;
        var id = await secrets.ReadAsync(scope, model.SecretName, "accessKeyId", cancellationToken).ConfigureAwait(false);
        var key = await secrets.ReadAsync(scope, model.SecretName, "secretAccessKey", cancellationToken).ConfigureAwait(false);
        if (id is null || key is null) return (null, new StagingFailure(StagingFailureReason.Unauthorized, $"the Secret {scope}/{model.SecretName} (spec.storage.key) must hold accessKeyId and secretAccessKey"));
        var token = await secrets.ReadAsync(scope, model.SecretName, "sessionToken", cancellationToken).ConfigureAwait(false);
        return (Keep((region, id.Reveal()), Secret.From(key.Reveal() + token?.Reveal()), () =>
            token is null ? new BasicAWSCredentials(id.Reveal(), key.Reveal()) : new SessionAWSCredentials(id.Reveal(), key.Reveal(), token.Reveal())), null);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var kept in _clients.Values) kept.Client.Dispose();
        }
    }

    private AmazonS3Client Keep((string Region, string? AccessKey) at, Secret? key, Func<AWSCredentials?> credentials)
    {
        lock (_gate)
        {
            var known = _clients.GetValueOrDefault(at);
            if (known is null || known.Key?.Reveal() != key?.Reveal())
            {
                // A client that is dropped, or whose Secret changed, may still list or read, so it is not disposed but left to the collector. It holds no
                // connection of its own: the SDK shares them in the process.
                if (known is null && _clients.Count == Bound) _clients.Remove(_clients.MinBy(client => client.Value.LastUse).Key);
                _clients[at] = known = new Kept(Create(at.Region, credentials()), key);
            }

            known.LastUse = ++_uses;
            return known.Client;
        }
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

    private sealed class Kept(AmazonS3Client client, Secret? key)
    {
        public AmazonS3Client Client { get; } = client;

        public Secret? Key { get; } = key;

        public long LastUse { get; set; }
    }
}
