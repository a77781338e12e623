using Ome.Shared.Domain.Models;

namespace Ome.Agent.Staging;

/// <summary>
/// Which token a model's requests carry, in OME's order (contract 4.11): the Secret named by <c>spec.storage.key</c>, then <c>parameters.token</c>, then
/// the agent's own.
/// </summary>
public sealed partial class HuggingFaceToken(ISecretReader secrets, HuggingFaceOptions options, ILogger<HuggingFaceToken> logger)
{
    /// <summary>The token, or null for none.</summary>
    public async Task<Secret?> FindAsync(ModelSpec model, CancellationToken cancellationToken)
    {
        if (!string.IsNullOrEmpty(model.SecretName))
        {
            var secretNamespace = model.Key.Kind == ModelKind.ClusterBaseModel ? options.AgentNamespace : model.Key.Namespace;
            var key = model.Parameters.TryGetValue("secretKey", out var named) && named.Length > 0 ? named : "token";
            if (await secrets.ReadAsync(secretNamespace, model.SecretName, key, cancellationToken).ConfigureAwait(false) is { } found) return found;
            LogNoSecret(model.Key, secretNamespace, model.SecretName, key);
        }

        return Secret.From(model.Parameters.GetValueOrDefault("token")) ?? options.Token;
    }

    [LoggerMessage(4010, LogLevel.Warning, "{Model}: Secret {Namespace}/{Name} has no key '{Key}'; going on with the next source of a token")]
    private partial void LogNoSecret(ModelKey model, string @namespace, string name, string key);
}
