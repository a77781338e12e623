using System.Collections;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using k8s;
using k8s.Models;
using Ome.Shared.Api;
using Ome.Shared.Kube;

namespace Ome.Tests.Kube;

/// <summary>The generated JSON of our kinds says what KubernetesClient's look at the classes would say.</summary>
public sealed class ApiJsonTests
{
    private static readonly Type[] Kinds = [typeof(BaseModel), typeof(ClusterBaseModel), typeof(ModelIntegrityCheck)];

    [TestCaseSource(nameof(Kinds))]
    public void A_kind_is_written_and_read_as_by_reflection(Type kind)
    {
        var given = Filled(kind, depth: 0)!;

        var generated = JsonSerializer.Serialize(given, kind, Options(ApiJson.Default));
        var reflected = JsonSerializer.Serialize(given, kind, Options(new DefaultJsonTypeInfoResolver()));
        generated.Should().Be(reflected).And.ContainAll("\"metadata\":{", "\"spec\":{", "\"status\":{");

        var back = JsonSerializer.Deserialize(generated, kind, Options(ApiJson.Default));
        JsonSerializer.Serialize(back, kind, Options(new DefaultJsonTypeInfoResolver())).Should().Be(reflected);
    }

    [TestCaseSource(nameof(Kinds))]
    public void What_is_not_set_is_not_written_and_stays_as_the_class_has_it(Type kind)
    {
        var given = Activator.CreateInstance(kind)!;

        var generated = JsonSerializer.Serialize(given, kind, Options(ApiJson.Default));
        generated.Should().Be(JsonSerializer.Serialize(given, kind, Options(new DefaultJsonTypeInfoResolver())));

        var empty = JsonSerializer.Deserialize("{}", kind, Options(ApiJson.Default));
        JsonSerializer.Serialize(empty, kind, Options(new DefaultJsonTypeInfoResolver())).Should().Be(generated);
    }

    [Test]
    public void The_client_uses_it()
    {
        JsonSerializerOptions? used = null;
        KubernetesJson.AddJsonOptions(options => used = options);

        foreach (var kind in Kinds) used!.GetTypeInfo(kind).OriginatingResolver.Should().BeSameAs(ApiJson.Default, kind.Name);
    }

    [Test]
    public void Registering_again_changes_nothing()
    {
        JsonSerializerOptions? used = null;
        KubernetesJson.AddJsonOptions(options => used = options);

        ApiJson.Register();
        ApiJson.Register();

        used!.TypeInfoResolverChain.OfType<ApiJson>().Should().ContainSingle();
    }

    [Test]
    public void Every_list_an_informer_asks_for_is_there()
    {
        Type[] watched = [typeof(BaseModel), typeof(ClusterBaseModel), typeof(BareBaseModel), typeof(BareClusterBaseModel), typeof(BareNode), typeof(ReportMap), typeof(V1Node), typeof(V1ConfigMap)];

        foreach (var kind in watched) ApiJson.Default.GetTypeInfo(typeof(ListPage<>).MakeGenericType(kind)).Should().NotBeNull(kind.Name);
    }

    // As KubernetesJson has them, with the resolver in question before the client's own.
    private static JsonSerializerOptions Options(IJsonTypeInfoResolver resolver)
    {
        JsonSerializerOptions? used = null;
        KubernetesJson.AddJsonOptions(options => used = options);
        var client = used!.TypeInfoResolverChain.Single(known => known.GetType().Assembly == typeof(KubernetesJson).Assembly);
        return new JsonSerializerOptions(used) { TypeInfoResolver = JsonTypeInfoResolver.Combine(resolver, client) };
    }

    // Every property set: what a class gets later is compared without a change here.
    private static object? Filled(Type type, int depth)
    {
        if (Nullable.GetUnderlyingType(type) is { } inner) return Filled(inner, depth);
        if (type == typeof(string)) return $"text \"{depth}\" é";
        if (type == typeof(bool)) return true;
        if (type == typeof(int)) return 7;
        if (type == typeof(long)) return 1L << 40;
        if (type == typeof(double)) return 0.5;
        if (type == typeof(DateTime)) return new DateTime(2026, 5, 6, 12, 0, 0, DateTimeKind.Utc);
        if (type == typeof(DateTimeOffset)) return new DateTimeOffset(2026, 5, 6, 12, 0, 0, 123, TimeSpan.Zero);
        if (type == typeof(JsonObject)) return new JsonObject { ["a"] = 1, ["b"] = new JsonArray("c") };
        if (type == typeof(IList<V1ManagedFieldsEntry>)) return null; // its FieldsV1 is an object of any form
        if (typeof(IDictionary).IsAssignableFrom(type) || type.Name.StartsWith("IDictionary", StringComparison.Ordinal)) return Pairs(type, depth);
        if (type.IsGenericType && typeof(IEnumerable).IsAssignableFrom(type)) return List(type.GetGenericArguments()[0], depth);
        if (type.Assembly != typeof(BaseModel).Assembly && type.Assembly != typeof(V1ObjectMeta).Assembly) throw new NotSupportedException($"Say what a {type} is filled with.");
        var made = Activator.CreateInstance(type)!;
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite && property.Name is not ("Kind" or "ApiVersion")))
        {
            property.SetValue(made, Filled(property.PropertyType, depth + 1));
        }

        return made;
    }

    private static object List(Type item, int depth)
    {
        var list = (IList)Activator.CreateInstance(typeof(List<>).MakeGenericType(item))!;
        list.Add(Filled(item, depth + 1));
        return list;
    }

    private static object Pairs(Type type, int depth)
    {
        var pairs = (IDictionary)Activator.CreateInstance(typeof(Dictionary<,>).MakeGenericType(type.GetGenericArguments()))!;
        pairs.Add("key", Filled(type.GetGenericArguments()[1], depth + 1));
        return pairs;
    }
}
