using KubeOps.Abstractions.Builder;
using KubeOps.Operator.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace KubeOps.Operator;

/// <summary>The door to everything.</summary>
public static class ServiceCollectionExtensions
{
    /// <summary>
    /// Adds an operator to the container, once per container. Whatever the operator needs and finds registered before this call
    /// (client configuration, client, elector factory, event factory) is used instead of the default.
    /// </summary>
    public static IOperatorBuilder AddKubernetesOperator(this IServiceCollection services, Action<OperatorSettingsBuilder>? configure = null)
    {
        var settings = new OperatorSettingsBuilder();
        configure?.Invoke(settings);
        return new OperatorBuilder(services, settings.Build());
    }
}
