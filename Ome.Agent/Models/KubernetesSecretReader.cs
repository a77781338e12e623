using System.Net;
using System.Text;
using k8s;
using k8s.Autorest;
using Ome.Agent.Staging;

namespace Ome.Agent.Models;

/// <summary>Reads a value of a Secret when a source asks for it; nothing is kept here.</summary>
public sealed partial class KubernetesSecretReader(IKubernetes client, ILogger<KubernetesSecretReader> logger) : ISecretReader
{
    public async Task<Secret?> ReadAsync(string secretNamespace, string name, string key, CancellationToken cancellationToken)
    {
        try
        {
            var secret = await client.CoreV1.ReadNamespacedSecretAsync(name, secretNamespace, cancellationToken: cancellationToken);
            if (secret.Data is not null && secret.Data.TryGetValue(key, out var value)) return Secret.From(Encoding.UTF8.GetString(value));
            LogNoKey(secretNamespace, name, key);
            return null;
        }
        catch (HttpOperationException refused) when (refused.Response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Forbidden)
        {
            LogNoSecret(secretNamespace, name, (int)refused.Response.StatusCode);
            return null;
        }
        catch (Exception away) when (away is HttpOperationException or HttpRequestException || (away is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            var why = away is HttpOperationException { Response.StatusCode: var status } ? $"the API server answers {(int)status}" : "the API server does not answer";
            throw new HttpRequestException($"Secret {secretNamespace}/{name}: {why}", away);
        }
    }

    [LoggerMessage(EventId = 2701, Level = LogLevel.Warning, Message = "Secret {Namespace}/{Name} has no key '{Key}'; the next source of credentials is tried")]
    private partial void LogNoKey(string @namespace, string name, string key);

    [LoggerMessage(EventId = 2702, Level = LogLevel.Warning, Message = "Secret {Namespace}/{Name} cannot be read (HTTP {Status}); the next source of credentials is tried. For 403 apply config/rbac's opt-in Role ome-model-agent-secrets in that namespace.")]
    private partial void LogNoSecret(string @namespace, string name, int status);
}
