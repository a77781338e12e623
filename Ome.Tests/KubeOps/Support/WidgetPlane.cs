using System.Reflection;
using System.Runtime.InteropServices;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeOps.Transpiler;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.KubeOpsApi.Support;

/// <summary>What tests do with widgets, as users of the control plane would.</summary>
public static class WidgetPlane
{
    private const string Group = "tests.ome.io";
    private const string Version = "v1";

    /// <summary>Reads this program's assemblies for the transpiler.</summary>
    public static MetadataLoadContext OpenAssemblies() => ContextCreator.Create(
        Directory.EnumerateFiles(RuntimeEnvironment.GetRuntimeDirectory(), "*.dll")
            .Concat(Directory.EnumerateFiles(AppContext.BaseDirectory, "*.dll"))
            .DistinctBy(Path.GetFileName));

    /// <summary>Applies the CRD that the transpiler makes of <see cref="Widget"/>, and waits until the kind is served.</summary>
    public static async Task InstallWidgetsAsync(
        this ITestControlPlane plane, CancellationToken cancellationToken, Action<V1CustomResourceDefinition>? change = null)
    {
        using var assemblies = OpenAssemblies();
        var definition = assemblies.Transpile(typeof(Widget));
        change?.Invoke(definition);
        await plane.Admin.ApiextensionsV1.CreateCustomResourceDefinitionAsync(definition, cancellationToken: cancellationToken);
        while (true)
        {
            try
            {
                await plane.Admin.CustomObjects.ListClusterCustomObjectAsync(Group, Version, Widget.Plural, cancellationToken: cancellationToken);
                return;
            }
            catch (HttpOperationException notYet) when (notYet.Response.StatusCode is System.Net.HttpStatusCode.NotFound or System.Net.HttpStatusCode.TooManyRequests)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
            }
        }
    }

    public static async Task<Widget> CreateWidgetAsync(this ITestControlPlane plane, Widget widget, CancellationToken cancellationToken)
    {
        using var answer = await plane.Admin.CustomObjects.CreateNamespacedCustomObjectWithHttpMessagesAsync<Widget>(
            widget, Group, Version, widget.Metadata.NamespaceProperty, Widget.Plural, cancellationToken: cancellationToken);
        return answer.Body;
    }

    public static Task<Widget> CreateWidgetAsync(
        this ITestControlPlane plane, string name, string @namespace, CancellationToken cancellationToken, params (string Key, string Value)[] labels) =>
        plane.CreateWidgetAsync(Widget.Named(name, @namespace, labels), cancellationToken);

    /// <summary>The object; null when it is gone.</summary>
    public static async Task<Widget?> ReadWidgetAsync(this ITestControlPlane plane, Widget widget, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await plane.Admin.CustomObjects.GetNamespacedCustomObjectWithHttpMessagesAsync<Widget>(
                Group, Version, widget.Metadata.NamespaceProperty, Widget.Plural, widget.Metadata.Name, cancellationToken: cancellationToken);
            return answer.Body;
        }
        catch (HttpOperationException gone) when (gone.Response.StatusCode == System.Net.HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>A merge patch, e.g. <c>{"spec":{"size":2}}</c>.</summary>
    public static async Task<Widget> PatchWidgetAsync(this ITestControlPlane plane, Widget widget, string patch, CancellationToken cancellationToken)
    {
        using var answer = await plane.Admin.CustomObjects.PatchNamespacedCustomObjectWithHttpMessagesAsync<Widget>(
            new V1Patch(patch, V1Patch.PatchType.MergePatch), Group, Version, widget.Metadata.NamespaceProperty, Widget.Plural, widget.Metadata.Name,
            cancellationToken: cancellationToken);
        return answer.Body;
    }

    public static async Task PatchWidgetStatusAsync(this ITestControlPlane plane, Widget widget, string patch, CancellationToken cancellationToken) =>
        await plane.Admin.CustomObjects.PatchNamespacedCustomObjectStatusAsync(
            new V1Patch(patch, V1Patch.PatchType.MergePatch), Group, Version, widget.Metadata.NamespaceProperty, Widget.Plural, widget.Metadata.Name,
            cancellationToken: cancellationToken);

    public static async Task DeleteWidgetAsync(this ITestControlPlane plane, Widget widget, CancellationToken cancellationToken) =>
        await plane.Admin.CustomObjects.DeleteNamespacedCustomObjectAsync(
            Group, Version, widget.Metadata.NamespaceProperty, Widget.Plural, widget.Metadata.Name, cancellationToken: cancellationToken);
}
